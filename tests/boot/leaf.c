/*
 * A function that calls nothing and has locals that must live in memory: with a red zone it would
 * keep them below RSP, where the next interrupt writes. test_code.py reads what became of it.
 */
int leaf(int seed);

int leaf(int seed)
{
    volatile int locals[4] = {seed, seed + 1, seed + 2, seed + 3};

    return locals[0] + locals[3];
}
