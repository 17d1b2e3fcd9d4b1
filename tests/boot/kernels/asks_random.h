/* For asks.c and its like, with pie.c. */
BOOTIMAGE_REQUEST(BOOTINFO_REQUEST_RANDOM_BASE, 1)
