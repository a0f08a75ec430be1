// The description of the HTTP API for programs, node/api/openapi.json, as a route of it.
#ifndef SHOAL_NODE_WEB_OPENAPI_H
#define SHOAL_NODE_WEB_OPENAPI_H

#include "node/api/route.h"

const struct api_route *web_openapi_route(void);

#endif
