/* SPDX-License-Identifier: Apache-2.0 */
/* Everything of libnook. */
#ifndef NOOK_NOOK_H
#define NOOK_NOOK_H

#include "container.h"
#include "error.h"
#include "kinds.h"
#include "net.h"
#include "net_addr.h"
#include "ns.h"
#include "ns_names.h"
#include "ns_where.h"
#include "plan.h"
#include "spec.h"

#endif
