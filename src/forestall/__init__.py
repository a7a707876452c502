"""Forestall: predictive maintenance, from sensor telemetry to the machines to service.

Importing it pins the numeric kernels, which must happen before numpy is loaded: without this the same
code gives other bytes on another CPU model or another number of cores.
"""

import os
import platform

KERNELS = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
X86_KERNELS = {
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}

os.environ.update(KERNELS)
if platform.machine() in ("x86_64", "AMD64"):
    os.environ.update(X86_KERNELS)
