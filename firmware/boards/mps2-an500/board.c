/* Arm's MPS2 AN500 image in QEMU. */
#include "../common/mps2.h"

const board_facts board = {"mps2-an500", "Cortex-M7", MPS2_CLOCK_HZ};
