CPU = -mcpu=cortex-m55 -mfloat-abi=hard
KERNELS = portable
