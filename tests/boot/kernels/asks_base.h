/* For asks.c and its like, with pie.c. */
BOOTIMAGE_REQUEST(BOOTINFO_REQUEST_BASE, 0xffffffffb0000000)
