#pragma once

#include <allot/core/config.hpp>

#include <cstdint>

namespace allot::inline ALLOT_ABI::detail {

/// Objects by their own address, in a tree that lies in them: each has a `left` and a `right`, and a random `priority`
/// that keeps the tree flat (a treap).
///
/// Costs: logarithmic time for each call, whatever the order in which they come; no memory.
template <class Node>
class address_tree {
public:
  void insert(Node* n) noexcept {
    Node** link = &root_;
    while (*link != nullptr && (*link)->priority > n->priority) {
      link = address(n) < address(*link) ? &(*link)->left : &(*link)->right;
    }
    split(*link, n, n->left, n->right);
    *link = n;
  }

  /// \pre `n` is in the tree
  void erase(Node* n) noexcept {
    Node** link = &root_;
    while (*link != n)
      link = address(n) < address(*link) ? &(*link)->left : &(*link)->right;
    *link = join(n->left, n->right);
  }

  /// The one with the highest address that is not above `p`, or null.
  [[nodiscard]] Node* at_or_before(const void* p) const noexcept {
    Node* best = nullptr;
    for (Node* n = root_; n != nullptr;) {
      if (address(n) <= address(p)) {
        best = n;
        n = n->right;
      } else {
        n = n->left;
      }
    }
    return best;
  }

  /// The one with the lowest address that is not below `p`, or null.
  [[nodiscard]] Node* at_or_after(const void* p) const noexcept {
    Node* best = nullptr;
    for (Node* n = root_; n != nullptr;) {
      if (address(n) >= address(p)) {
        best = n;
        n = n->left;
      } else {
        n = n->right;
      }
    }
    return best;
  }

private:
  static std::uintptr_t address(const void* p) noexcept { return reinterpret_cast<std::uintptr_t>(p); }

  static void split(Node* tree, const Node* at, Node*& below, Node*& above) noexcept {
    if (tree == nullptr) {
      below = above = nullptr;
    } else if (address(tree) < address(at)) {
      below = tree;
      split(tree->right, at, below->right, above);
    } else {
      above = tree;
      split(tree->left, at, below, above->left);
    }
  }

  static Node* join(Node* below, Node* above) noexcept {
    if (below == nullptr) return above;
    if (above == nullptr) return below;
    if (below->priority > above->priority) {
      below->right = join(below->right, above);
      return below;
    }
    above->left = join(below, above->left);
    return above;
  }

  Node* root_ = nullptr;
};

} // namespace allot::inline ALLOT_ABI::detail
