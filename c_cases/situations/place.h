/* Places whose true stack a situation's header states: PLACE defines an empty function, AT calls
 * it, and never as a tail call. */
#ifdef __cplusplus
#define PLACE(name) extern "C" __attribute__((noinline)) void name(void) { __asm__ volatile(""); }
#define CALLED(declaration) extern "C" __attribute__((noinline)) declaration
#else
#define PLACE(name) __attribute__((noinline)) void name(void) { __asm__ volatile(""); }
#define CALLED(declaration) __attribute__((noinline)) declaration
#endif
#define AT(name) do { name(); __asm__ volatile("" ::: "memory"); } while (0)
