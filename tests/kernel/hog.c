// SPDX-License-Identifier: GPL-2.0
/*
 * Takes more memory than there is and checks that it all comes back right. Usage: hog MIB
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>


#define MIB 1048576UL

int main(int argc, char **argv)
{
	unsigned long mib = argc > 1 ? strtoul(argv[1], NULL, 10) : 0, i;
	uint64_t *p;

	if (!mib)
		return 2;
	p = malloc(mib * MIB);
	if (!p)
		return 1;
	for (i = 0; i < mib * MIB / sizeof(*p); i += 64)
		p[i] = i * 0x9e3779b97f4a7c15ULL;
	for (i = 0; i < mib * MIB / sizeof(*p); i += 64) {
		if (p[i] != i * 0x9e3779b97f4a7c15ULL) {
			printf("wrong at %lu\n", i);
			return 1;
		}
	}
	return 0;
}
