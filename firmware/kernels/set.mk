# The sources of the set of kernels that $(KERNELS) names: its own, and for the rest the portable ones.
KERNELS ?= portable
kernels_dir := $(dir $(lastword $(MAKEFILE_LIST)))
ifeq ($(wildcard $(kernels_dir)$(KERNELS)/kernel_set.c),)
$(error KERNELS is one of: $(patsubst $(kernels_dir)%/kernel_set.c,%,$(wildcard $(kernels_dir)*/kernel_set.c)))
endif
set := $(wildcard $(kernels_dir)$(KERNELS)/*.c)
kernels := $(set) $(filter-out $(addprefix $(kernels_dir)portable/,$(notdir $(set))),$(wildcard $(kernels_dir)portable/*.c))
