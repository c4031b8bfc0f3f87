-- One row: up to where the log is applied, and the counters.
CREATE TABLE engine (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    schema INTEGER NOT NULL,
    log_id BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    next_message INTEGER NOT NULL,
    next_delivery INTEGER NOT NULL,
    next_folder INTEGER NOT NULL,
    next_object INTEGER NOT NULL,
    last_uid_validity INTEGER NOT NULL
);
CREATE TABLE object (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name_key TEXT NOT NULL,
    data BLOB NOT NULL,
    UNIQUE (kind, name_key)
);
CREATE TABLE proxy (key TEXT PRIMARY KEY, object INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE member (member INTEGER NOT NULL, list INTEGER NOT NULL, PRIMARY KEY (member, list)) WITHOUT ROWID;
CREATE TABLE folder (
    id INTEGER PRIMARY KEY,
    mailbox INTEGER NOT NULL,
    name TEXT NOT NULL,
    uid_validity INTEGER NOT NULL,
    uid_next INTEGER NOT NULL,
    modseq INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    unseen INTEGER NOT NULL,
    octets INTEGER NOT NULL,
    special_use TEXT,
    subscribed INTEGER NOT NULL,
    UNIQUE (mailbox, name)
);
CREATE TABLE item (
    folder INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    message INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    keywords TEXT,
    modseq INTEGER NOT NULL,
    date INTEGER NOT NULL,
    octets INTEGER NOT NULL,
    PRIMARY KEY (folder, uid)
) WITHOUT ROWID;
CREATE INDEX item_modseq ON item (folder, modseq);
CREATE TABLE gone (
    folder INTEGER NOT NULL,
    modseq INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    PRIMARY KEY (folder, modseq, uid)
) WITHOUT ROWID;
-- place: 0 the body is gone, 1 in a segment, 2 in a file of its own (segment is its number).
CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    place INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    octets INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    refs INTEGER NOT NULL,
    received INTEGER NOT NULL,
    return_path_octets INTEGER NOT NULL,
    sender TEXT,
    sender_key TEXT,
    header_id TEXT,
    subject TEXT,
    envelope BLOB
);
CREATE INDEX message_header ON message (header_id) WHERE header_id IS NOT NULL;
CREATE INDEX message_story ON message (received) WHERE envelope IS NOT NULL;
CREATE INDEX message_sender ON message (sender_key) WHERE sender_key IS NOT NULL;
CREATE TABLE event (
    message INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    recipient TEXT,
    detail TEXT NOT NULL,
    PRIMARY KEY (message, seq)
) WITHOUT ROWID;
CREATE TABLE delivery (
    id INTEGER PRIMARY KEY,
    message INTEGER NOT NULL,
    connector TEXT NOT NULL,
    grp TEXT NOT NULL,
    state INTEGER NOT NULL,
    next_attempt INTEGER NOT NULL,
    crashes INTEGER NOT NULL,
    in_flight INTEGER NOT NULL,
    data BLOB NOT NULL
);
CREATE INDEX delivery_due ON delivery (connector, state, next_attempt);
CREATE INDEX delivery_message ON delivery (message);
CREATE INDEX delivery_flight ON delivery (in_flight) WHERE in_flight = 1;
