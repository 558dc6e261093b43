/* Arm's MPS2 AN386 image in QEMU. */
#include "../common/mps2.h"

const board_facts board = {"mps2-an386", "Cortex-M4", MPS2_CLOCK_HZ};
