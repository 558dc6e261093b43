/* Vectors and reset of every board. The coprocessors are on before any C: the compiler may use them at once. */
    .syntax unified
    .thumb
    .equ CPACR, 0xE000ED88
    .equ CPACR_CP10_CP11_FULL, 0xF << 20 /* FPU and Helium */

    .section .vectors, "a"
    .word stack_top
    .word reset
    .rept 13
    .word fault
    .endr
    .word systick_interrupt
    .rept 96 /* only the UART's receive interrupt is ever enabled */
    .word board_receive_interrupt
    .endr

    .text
    .thumb_func
    .global reset
reset:
    ldr r0, =CPACR
    ldr r1, [r0]
    orr r1, r1, #CPACR_CP10_CP11_FULL
    str r1, [r0]
    dsb
    isb
    ldr r0, =data_start
    ldr r1, =data_end
    ldr r2, =data_load
1:  cmp r0, r1
    bhs 2f
    ldr r3, [r2], #4
    str r3, [r0], #4
    b 1b
2:  ldr r0, =bss_start
    ldr r1, =bss_end
    movs r2, #0
3:  cmp r0, r1
    bhs 4f
    str r2, [r0], #4
    b 3b
4:  bl main

    .thumb_func
fault:
    b fault
