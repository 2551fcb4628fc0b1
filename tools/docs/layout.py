"""Doxygen's layout file: the navigation, and the order of what stands on a class page (its comment before its members)."""

from xml.sax.saxutils import quoteattr

CLASS = """
  <class>
    <detaileddescription title=""/>
    <includes visible="$SHOW_HEADERFILE"/>
    <memberdecl>
      <nestedclasses visible="yes" title=""/>
      <membergroups visible="yes"/>
      <publictypes title=""/>
      <publicmethods title=""/>
      <publicstaticmethods title=""/>
      <publicattributes title=""/>
      <publicstaticattributes title=""/>
      <protectedtypes title=""/>
      <protectedmethods title=""/>
      <protectedstaticmethods title=""/>
      <protectedattributes title=""/>
      <protectedstaticattributes title=""/>
      <friends title=""/>
      <related title="" subtitle=""/>
    </memberdecl>
    <memberdef>
      <inlineclasses title=""/>
      <typedefs title=""/>
      <enums title=""/>
      <constructors title=""/>
      <functions title=""/>
      <related title=""/>
      <variables title=""/>
    </memberdef>
    <allmemberslink visible="yes"/>
    <usedfiles visible="$SHOW_USED_FILES"/>
    <authorsection visible="yes"/>
  </class>"""

GROUP = """
  <group>
    <detaileddescription title=""/>
    <memberdecl>
      <nestedgroups visible="yes" title=""/>
      <classes visible="yes" title=""/>
      <concepts visible="yes" title=""/>
      <membergroups visible="yes"/>
      <enums title=""/>
      <typedefs title=""/>
      <functions title=""/>
      <variables title=""/>
      <defines title=""/>
    </memberdecl>
    <memberdef>
      <enums title=""/>
      <typedefs title=""/>
      <functions title=""/>
      <variables title=""/>
      <defines title=""/>
    </memberdef>
  </group>"""


def tab(kind, title, url=""):
    where = f" url={quoteattr(url)}" if url else ""
    return f'<tab type="{kind}" visible="yes" title={quoteattr(title)}{where}/>'


def layout(pages):
    """The file's text. `pages` are (label, title) in reading order."""
    guide = "".join("\n      " + tab("user", title, f"@ref {label}") for label, title in pages)
    return f"""<doxygenlayout version="1.0">
  <navindex>
    {tab("mainpage", "Overview")}
    <tab type="usergroup" visible="yes" title="Guide">{guide}
    </tab>
    {tab("modules", "Rooms")}
    {tab("classindex", "Classes")}
    {tab("namespacemembers", "Functions")}
    {tab("filelist", "Headers")}
  </navindex>{CLASS}{GROUP}
</doxygenlayout>
"""
