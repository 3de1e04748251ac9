/* SPDX-License-Identifier: Apache-2.0
 *
 * remove.h - a folder and all that is in it, without following links. [any thread]
 */
#ifndef FCU_REMOVE_H
#define FCU_REMOVE_H

/* `name` in the open folder `parent`; what is not there is fine. What cannot be removed stays. */
void remove_tree(int parent, const char *name);

#endif
