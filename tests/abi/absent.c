/* SPDX-License-Identifier: Apache-2.0 */

/* A library that no one finds when the plugin that needs it is loaded. */
__attribute__((visibility("default"))) int nobody_defines_this(void);
int nobody_defines_this(void)
{
	return 0;
}
