/* Wine 8.0 lacks this system library, from which every Rust program takes its random numbers: without it a program ends
   at once with exit code 53. This stands in for it in tests, with the random numbers that Wine does have. */

typedef unsigned char byte;

/* RtlGenRandom of advapi32.dll, under the name that it is exported by. */
__declspec(dllimport) byte __stdcall SystemFunction036(void *to, unsigned long count);

__declspec(dllexport) int __stdcall ProcessPrng(byte *to, unsigned long long count)
{
    const unsigned long step = 65536;
    for (; count > step; count -= step, to += step)
        if (!SystemFunction036(to, step))
            return 0;
    return SystemFunction036(to, (unsigned long)count) != 0;
}

int __stdcall DllMain(void *library, unsigned long reason, void *reserved)
{
    (void)library, (void)reason, (void)reserved;
    return 1;
}
