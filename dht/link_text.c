#include "dht/link.h"

#include <assert.h>

struct close_text {
    const char *label;
    const char *text;
};

static const struct close_text texts[LINK_CLOSES_COUNT] = {
    [LINK_OPEN] = {"open", "it is not closed"},
    [LINK_CLOSE_OWNER] = {"owner", "we closed it"},
    [LINK_CLOSE_HANDSHAKE_TIMEOUT] = {"handshake_timeout", "the handshake took too long"},
    [LINK_CLOSE_STRANGER] = {"stranger", "not of this pool, or it wanted another node"},
    [LINK_CLOSE_HANDSHAKE_FAILED] = {"handshake_failed", "the handshake failed"},
    [LINK_CLOSE_RECORD_REFUSED] = {"record_refused", "its node record was refused"},
    [LINK_CLOSE_SELF] = {"self", "it is this node itself"},
    [LINK_CLOSE_OVERSIZE] = {"oversize", "a frame was too long or altered"},
    [LINK_CLOSE_TAMPERED] = {"tampered", "a frame was altered"},
    [LINK_CLOSE_MALFORMED] = {"malformed", "a frame broke the rules"},
    [LINK_CLOSE_MESSAGE_REFUSED] = {"message_refused", "it sent a large message unasked"},
    [LINK_CLOSE_SILENT] = {"silent", "it no longer answers"},
    [LINK_CLOSE_USED_UP] = {"used_up", "its keys served for as long as they may"},
    [LINK_CLOSE_MEMORY] = {"memory", "no memory was left"},
};

const char *link_close_text(enum link_close reason)
{
    assert((unsigned)reason < LINK_CLOSES_COUNT);
    return texts[reason].text;
}

const char *link_close_label(enum link_close reason)
{
    assert((unsigned)reason < LINK_CLOSES_COUNT);
    return texts[reason].label;
}
