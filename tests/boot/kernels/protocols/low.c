/*
 * Something to load below 1 MiB.
 */
__attribute__((section(".low"), used)) static const char low_text[] = "low memory";
