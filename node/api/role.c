#include "node/api/route.h"
#include <stdlib.h>
#include <string.h>

const char *api_role_text(enum api_role role)
{
    switch (role) {
    case API_PUBLIC:
        return "public";
    case API_VIEWER:
        return "viewer";
    case API_OPERATOR:
        return "operator";
    case API_ADMIN:
        return "admin";
    }
    abort();
}

bool api_role_from_text(const char *text, enum api_role *role)
{
    static const enum api_role roles[] = {API_PUBLIC, API_VIEWER, API_OPERATOR, API_ADMIN};
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        if (strcmp(text, api_role_text(roles[i])) != 0)
            continue;
        *role = roles[i];
        return true;
    }
    return false;
}
