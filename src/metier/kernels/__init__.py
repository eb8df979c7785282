"""The compiled inner loops (Numba), each beside a readable NumPy twin named `*_reference`."""
