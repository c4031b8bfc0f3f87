//! Normal dialogues, each with what the server must answer, in order.

// a failed test helper should panic where it stands
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
#[path = "common/dialogue.rs"]
mod dialogue;

use dialogue::{all, in_order, world};

/// Name, what is sent after the login, and what must come, in order.
const NORMAL: &[(&str, &str, &[&str])] = &[
    ("capability", "b CAPABILITY\r\n", &["* CAPABILITY IMAP4rev1", "IDLE", "UIDPLUS", "b OK"]),
    (
        "id",
        "b ID (\"name\" \"x\")\r\nc ID NIL\r\n",
        &["* ID (\"name\" \"Concord\"", "b OK", "c OK"],
    ),
    ("namespace", "b NAMESPACE\r\n", &["* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n", "b OK"]),
    ("enable", "b ENABLE CONDSTORE X-FOO\r\n", &["* ENABLED CONDSTORE\r\n", "b OK"]),
    (
        "select",
        "b SELECT inbox\r\n",
        &[
            "* FLAGS (\\Answered",
            "* OK [PERMANENTFLAGS (\\Answered",
            "\\*)]",
            "* 3 EXISTS\r\n",
            "* 0 RECENT\r\n",
            "* OK [UNSEEN 1]",
            "* OK [UIDVALIDITY 1001]",
            "* OK [UIDNEXT 4]",
            "* OK [HIGHESTMODSEQ 4]",
            "b OK [READ-WRITE] selected",
        ],
    ),
    (
        "examine",
        "b EXAMINE INBOX (CONDSTORE)\r\nc STORE 1 FLAGS (\\Seen)\r\nd EXPUNGE\r\n",
        &["PERMANENTFLAGS ()", "b OK [READ-ONLY]", "c NO [READ-ONLY]", "d NO [READ-ONLY]"],
    ),
    (
        "list",
        "b LIST \"\" *\r\nc LIST \"\" \"\"\r\nd LSUB \"\" %\r\n",
        &[
            "* LIST (\\HasNoChildren \\Archive) \"/\" \"Archive\"",
            "* LIST (\\HasNoChildren) \"/\" \"INBOX\"",
            "\\Trash",
            "b OK",
            "* LIST (\\Noselect) \"/\" \"\"",
            "c OK",
            "* LSUB",
            "d OK",
        ],
    ),
    (
        "create, list children, delete",
        "b CREATE a/b\r\nc LIST \"\" a*\r\nd DELETE a\r\ne LIST \"\" %\r\nf DELETE a\r\n",
        &[
            "b OK",
            "(\\HasChildren) \"/\" \"a\"",
            "(\\HasNoChildren) \"/\" \"a/b\"",
            "c OK",
            "d OK",
            "(\\Noselect \\HasChildren) \"/\" \"a\"",
            "e OK",
            "f NO [NONEXISTENT]",
        ],
    ),
    (
        "names in modified UTF-7",
        "b CREATE Entw&APw-rfe/\r\nc LIST \"\" Entw*\r\nd STATUS Entw&APw-rfe (MESSAGES)\r\n",
        &["b OK", "\"Entw&APw-rfe\"", "c OK", "* STATUS \"Entw&APw-rfe\" (MESSAGES 0)", "d OK"],
    ),
    (
        "rename and subscribe",
        "b CREATE x\r\nc RENAME x y/z\r\nd UNSUBSCRIBE y/z\r\ne LSUB \"\" y*\r\nf SUBSCRIBE nix\r\ng RENAME y/z y/z/q\r\n",
        &["b OK", "c OK", "d OK", "e OK", "f NO [NONEXISTENT]", "g NO [CANNOT]"],
    ),
    (
        "status",
        "b STATUS INBOX (MESSAGES UIDNEXT UNSEEN SIZE HIGHESTMODSEQ RECENT)\r\n",
        &[
            "* STATUS \"INBOX\" (MESSAGES 3 UIDNEXT 4 UNSEEN 3 SIZE ",
            "HIGHESTMODSEQ 4 RECENT 0)",
            "b OK",
        ],
    ),
    (
        "append",
        "b APPEND INBOX (\\Seen $x) \"17-Jul-1996 02:44:25 -0700\" {5+}\r\nhello\r\nc SELECT INBOX\r\nd FETCH 4 (FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])\r\n",
        &[
            "b OK [APPENDUID 1001 4]",
            "* 4 EXISTS",
            "* 4 FETCH (FLAGS (\\Seen $x) INTERNALDATE \"17-Jul-1996 09:44:25 +0000\" RFC822.SIZE 5 BODY[] {5}\r\nhello)",
            "d OK",
        ],
    ),
    (
        "append with a literal for the name and a literal for the message",
        "b APPEND {5}\r\nINBOX {5}\r\nhello\r\nc NOOP\r\n",
        &["+ OK", "+ ready", "b OK [APPENDUID", "c OK"],
    ),
    (
        "append to nowhere",
        "b APPEND nix {5+}\r\nhello\r\nc APPEND nix {5}\r\nd NOOP\r\n",
        &["b NO [TRYCREATE]", "c NO [TRYCREATE]", "d OK"],
    ),
    (
        "fetch facts",
        "b SELECT INBOX\r\nc FETCH 1:* (UID FLAGS RFC822.SIZE)\r\nd FETCH 2 FAST\r\n",
        &[
            "* 1 FETCH (UID 1 FLAGS () RFC822.SIZE ",
            "* 3 FETCH (UID 3",
            "c OK",
            "* 2 FETCH (FLAGS () INTERNALDATE \" 9-Sep-2001 01:46:40 +0000\" RFC822.SIZE 26)",
            "d OK",
        ],
    ),
    (
        "fetch envelope and structure",
        "b EXAMINE INBOX\r\nc FETCH 1 (ENVELOPE BODY BODYSTRUCTURE)\r\n",
        &[
            "ENVELOPE (\"Fri, 9 Feb 2001 10:00:00 +0000\" \"=?utf-8?Q?Gr=C3=BC=C3=9Fe?=\" ((\"Ann Bee\" NIL \"ann\" \"example.test\"))",
            "BODY ((\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"base64\" 24 0)(\"application\" \"octet-stream\" NIL NIL NIL \"7bit\" 3) \"mixed\")",
            "BODYSTRUCTURE ((\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"base64\" 24 0 NIL NIL NIL NIL)",
            "\"mixed\" (\"boundary\" \"b\") NIL NIL NIL)",
            "c OK",
        ],
    ),
    (
        "fetch sections",
        "b EXAMINE INBOX\r\nc FETCH 1 (BODY[1] BODY[2]<1.5> BODY[HEADER.FIELDS (to DATE)] BODY[1.MIME] BODY[3] BODY[TEXT]<0.3>)\r\n",
        &[
            "BODY[1] {24}\r\nSGFsbG8gV2VsdCwgw4RwZmVs",
            "BODY[2]<1> {2}\r\nyz",
            "BODY[HEADER.FIELDS (to DATE)] {62}\r\nTo: bob@example.test\r\nDate: Fri, 9 Feb 2001 10:00:00 +0000\r\n\r\n",
            "BODY[1.MIME] {",
            "BODY[3] NIL",
            "BODY[TEXT]<0> {3}\r\n--b)",
            "c OK",
        ],
    ),
    (
        "seen is set by looking",
        "b SELECT INBOX\r\nc FETCH 2 BODY.PEEK[]\r\nd FETCH 2 BODY[TEXT]\r\ne FETCH 2 RFC822.HEADER\r\nf SEARCH SEEN\r\n",
        &[
            "* 2 FETCH (BODY[] {26}",
            "c OK",
            "* 2 FETCH (FLAGS (\\Seen) BODY[TEXT] {7}\r\nshort\r\n)",
            "d OK",
            "RFC822.HEADER {19}",
            "e OK",
            "* SEARCH 2\r\n",
            "f OK",
        ],
    ),
    (
        "store",
        "b SELECT INBOX\r\nc STORE 1:2 +FLAGS (\\Deleted kw)\r\nd STORE 2 -FLAGS.SILENT \\Deleted\r\ne UID STORE 3 FLAGS (\\Draft)\r\nf FETCH 1:3 FLAGS\r\n",
        &[
            "* 1 FETCH (FLAGS (\\Deleted kw))",
            "* 2 FETCH (FLAGS (\\Deleted kw))",
            "c OK",
            "d OK",
            "* 3 FETCH (UID 3 FLAGS (\\Draft))",
            "e OK",
            "* 2 FETCH (FLAGS (kw))",
            "f OK",
        ],
    ),
    (
        "condstore",
        "b SELECT INBOX (CONDSTORE)\r\nc STORE 1 (UNCHANGEDSINCE 4) +FLAGS (\\Flagged)\r\nd UID STORE 1:2 (UNCHANGEDSINCE 4) +FLAGS.SILENT (\\Seen)\r\ne FETCH 1:* (FLAGS) (CHANGEDSINCE 4)\r\nf SEARCH MODSEQ 5\r\n",
        &[
            "* 1 FETCH (FLAGS (\\Flagged) MODSEQ (5))",
            "c OK",
            "* 2 FETCH (UID 2 MODSEQ (6))",
            "d OK [MODIFIED 1]",
            "* 1 FETCH (FLAGS (\\Flagged) MODSEQ (5))",
            "* 2 FETCH (FLAGS (\\Seen) MODSEQ (6))",
            "e OK",
            "* SEARCH 1 2 (MODSEQ 6)",
            "f OK",
        ],
    ),
    (
        "search",
        "b SELECT INBOX\r\nc SEARCH CHARSET UTF-8 SUBJECT {7+}\r\ngrü\u{df}E TEXT \"\u{0}\"\r\nd SEARCH FROM bee\r\ne UID SEARCH TEXT welt\r\nf SEARCH BODY short\r\ng SEARCH NOT BODY short\r\nh SEARCH OR SUBJECT second SUBJECT third\r\ni SEARCH HEADER Message-ID \"<1@\"\r\nj SEARCH SENTON 9-Feb-2001\r\nk SEARCH SINCE 9-Sep-2001 BEFORE 10-Sep-2001 SMALLER 30\r\nl SEARCH 2:* UID 1:2 UNSEEN\r\nm SEARCH RETURN\r\n",
        &[
            "c BAD",
            "* SEARCH 1\r\nd OK",
            "* SEARCH 1\r\ne OK",
            "* SEARCH 2\r\nf OK",
            "* SEARCH 1 3\r\ng OK",
            "* SEARCH 2 3\r\nh OK",
            "* SEARCH 1\r\ni OK",
            "* SEARCH 1\r\nj OK",
            "* SEARCH 2\r\nk OK",
            "* SEARCH 2\r\nl OK",
            "m BAD",
        ],
    ),
    (
        "search in another charset",
        "b SELECT INBOX\r\nc SEARCH CHARSET UTF-8 SUBJECT {7+}\r\ngrü\u{df}E\r\nd SEARCH CHARSET UTF-8 BODY {5+}\r\näPFE\r\ne SEARCH CHARSET x-none ALL\r\n",
        &["* SEARCH 1\r\nc OK", "* SEARCH 1\r\nd OK", "e NO [BADCHARSET]"],
    ),
    (
        "copy",
        "b SELECT INBOX\r\nc COPY 1,3 Archive\r\nd COPY 1 nix\r\ne UID COPY 99 Archive\r\nf STATUS Archive (MESSAGES)\r\n",
        &["c OK [COPYUID 1002 1,3 1:2]", "d NO [TRYCREATE]", "e OK", "(MESSAGES 2)", "f OK"],
    ),
    (
        "move",
        "b SELECT INBOX\r\nc UID MOVE 1:2 Trash\r\nd FETCH 1 UID\r\n",
        &[
            "* OK [COPYUID 1006 1:2 1:2]",
            "* 2 EXPUNGE\r\n* 1 EXPUNGE\r\n",
            "c OK",
            "* 1 FETCH (UID 3)",
            "d OK",
        ],
    ),
    (
        "expunge",
        "b SELECT INBOX\r\nc STORE 1:3 +FLAGS.SILENT (\\Deleted)\r\nd UID EXPUNGE 2\r\ne EXPUNGE\r\nf CLOSE\r\ng CHECK\r\n",
        &["c OK", "* 2 EXPUNGE\r\nd OK", "* 2 EXPUNGE\r\n* 1 EXPUNGE\r\ne OK", "f OK", "g BAD"],
    ),
    (
        "close expunges in silence",
        "b SELECT INBOX\r\nc STORE 1 +FLAGS.SILENT (\\Deleted)\r\nd CLOSE\r\ne STATUS INBOX (MESSAGES)\r\n",
        &["d OK", "(MESSAGES 2)"],
    ),
    (
        "unselect does not",
        "b SELECT INBOX\r\nc STORE 1 +FLAGS.SILENT (\\Deleted)\r\nd UNSELECT\r\ne STATUS INBOX (MESSAGES DELETED)\r\n",
        &["d OK", "(MESSAGES 3 DELETED 1)"],
    ),
    (
        "quota",
        "b GETQUOTAROOT INBOX\r\nc GETQUOTA \"\"\r\nd SETQUOTA \"\" (STORAGE 1)\r\n",
        &[
            "* QUOTAROOT \"INBOX\" \"\"",
            "* QUOTA \"\" ()",
            "b OK",
            "* QUOTA \"\" ()",
            "c OK",
            "d NO [NOPERM]",
        ],
    ),
    ("idle", "b SELECT INBOX\r\nc IDLE\r\nDONE\r\nd NOOP\r\n", &["+ idling", "c OK", "d OK"]),
    ("logout", "b LOGOUT\r\nc NOOP\r\n", &["* BYE", "b OK"]),
];

#[tokio::test]
async fn normal_dialogues() {
    let mut results = Vec::new();
    for (name, input, expected) in NORMAL {
        let transcript = world().talk(format!("a LOGIN ann secret\r\n{input}").as_bytes()).await;
        let mut pieces = vec!["* OK [CAPABILITY IMAP4rev1", "a OK [CAPABILITY IMAP4rev1"];
        pieces.extend_from_slice(expected);
        results.push(in_order(name, &transcript, &pieces));
    }
    all(results);
}

#[tokio::test]
async fn sasl_logins() {
    let mut results = Vec::new();
    for (name, input, expected) in [
        (
            "plain with initial response",
            "a AUTHENTICATE PLAIN AGFubgBzZWNyZXQ=\r\n",
            &["a OK [CAPABILITY"][..],
        ),
        ("plain in two steps", "a AUTHENTICATE PLAIN\r\nAGFubgBzZWNyZXQ=\r\n", &["+ \r\n", "a OK"]),
        (
            "login",
            "a AUTHENTICATE LOGIN\r\nYW5u\r\nc2VjcmV0\r\n",
            &["+ VXNlcm5hbWU6", "+ UGFzc3dvcmQ6", "a OK"],
        ),
        ("cancelled", "a AUTHENTICATE PLAIN\r\n*\r\nb NOOP\r\n", &["a BAD", "b OK"]),
        ("no base64", "a AUTHENTICATE PLAIN\r\n!!!\r\nb NOOP\r\n", &["a BAD", "b OK"]),
        (
            "wrong password",
            "a AUTHENTICATE PLAIN AGFubgB3cm9uZw==\r\n",
            &["a NO [AUTHENTICATIONFAILED]"],
        ),
        ("unknown mechanism", "a AUTHENTICATE GSSAPI\r\n", &["a NO [CANNOT]"]),
        (
            "scram begins",
            "a AUTHENTICATE SCRAM-SHA-256 biwsbj1hbm4scj1hYmM=\r\n*\r\n",
            &["+ cj1hYm", "a BAD"],
        ),
    ] {
        results.push(in_order(name, &world().talk(input.as_bytes()).await, expected));
    }
    all(results);
}
