// As vendors ship them, in C. The value of main is the exit status, by semihosting.

#include <stdint.h>

extern uint32_t _sidata[], _sdata[], _edata[], _sbss[], _ebss[], _estack[];
extern void __libc_init_array(void);
extern int main(void);

static void end(uint32_t status) {
  const uint32_t arguments[] = {0x20026, status};
  register uint32_t r0 __asm__("r0") = 0x20;
  register const uint32_t* r1 __asm__("r1") = arguments;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  for (;;)
    ;
}

void Reset_Handler(void) {
  for (volatile uint32_t *to = _sdata, *from = _sidata; to < _edata;)
    *to++ = *from++;
  for (volatile uint32_t* to = _sbss; to < _ebss;)
    *to++ = 0;
  __libc_init_array();
  end((uint32_t)main());
}

static void Default_Handler(void) { end(134); }

__attribute__((section(".isr_vector"), used)) static void (*const vectors[16])(void) = {
    (void (*)(void))_estack, Reset_Handler,   Default_Handler, Default_Handler, Default_Handler, Default_Handler,
    Default_Handler,         0,               0,               0,               0,               Default_Handler,
    Default_Handler,         0,               Default_Handler, Default_Handler,
};
