//! Malformed and hostile dialogues, each with the exact answers. Each is sent
//! at once and again octet by octet: seams must not matter.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // in helpers, too, a panic is a failed test

mod common;

use common::{Recorder, start};
use concord_smtp::BareNewlines;
use concord_smtp_tokio::{Ended, Mode, ServerProfile};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

struct Case {
    name: &'static str,
    mode: Mode,
    send: String,
    expect: String,
    /// Messages that were taken.
    taken: usize,
}

const GREETING: &str = "220 mx.example.test ESMTP ready\r\n";
const HI: &str = "HELO c\r\n";
const HI_OK: &str = "250 mx.example.test\r\n";
const M: &str = "MAIL FROM:<s@example.test>\r\n";
const M_OK: &str = "250 2.1.0 ok\r\n";
const NEVER: &str = "MAIL FROM:<never@example.test>\r\n";
const NOT_NOW: &str = "451 4.3.1 not now\r\n";
const R: &str = "RCPT TO:<a@example.test>\r\n";
const R_OK: &str = "250 2.1.5 ok\r\n";
const D_OK: &str = "354 send the message, end with CRLF.CRLF\r\n";
const TAKEN: &str = "250 2.6.0 taken\r\n";
const BYE: &str = "221 2.0.0 bye\r\n";
const BAD_OCTET: &str = "500 5.5.2 invalid character in command\r\n";
const BARE: &str = "500 5.5.2 bare CR or LF in command; lines end in CRLF\r\n";
const BARE_LF: &str = "550 5.6.0 bare LF in message; lines end in CRLF\r\n";
const BARE_CR: &str = "550 5.6.0 bare CR in message; lines end in CRLF\r\n";
const LONG: &str = "500 5.5.6 line too long\r\n";
const NOT_HTTP: &str = "421 4.7.0 this is SMTP, not HTTP; closing\r\n";
const UNKNOWN: &str = "500 5.5.1 command not recognised\r\n";
const HELLO: &str = "503 5.5.1 say hello first\r\n";
const NONE: &str = "554 5.5.1 no valid recipients\r\n";
const BIG: &str = "552 5.3.4 message too big; the limit is 1000 octets\r\n";
const BDAT_FORM: &str = "501 5.5.4 syntax: BDAT size [LAST]\r\n";

fn case(name: &'static str, send: &[&str], expect: &[&str], taken: usize) -> Case {
    let (send, expect) = (send.concat(), expect.concat());
    Case { name, mode: Mode::Smtp, send, expect, taken }
}

/// In a greeted session.
fn hi(name: &'static str, send: &[&str], expect: &[&str]) -> Case {
    case(name, &[&[HI], send].concat(), &[&[HI_OK], expect].concat(), 0)
}

/// A message by DATA, in a transaction, and then QUIT.
fn data(name: &'static str, message: &str, answers: &[&str], taken: usize) -> Case {
    let head = [HI_OK, M_OK, R_OK, D_OK];
    case(
        name,
        &[HI, M, R, "DATA\r\n", message, "QUIT\r\n"],
        &[&head, answers, &[BYE]].concat(),
        taken,
    )
}

/// After RCPT.
fn bdat(name: &'static str, send: &[&str], answers: &[&str], taken: usize) -> Case {
    case(name, &[&[HI, M, R], send].concat(), &[&[HI_OK, M_OK, R_OK], answers].concat(), taken)
}

fn command_cases() -> Vec<Case> {
    let long_noop = format!("NOOP {}\r\n", "x".repeat(3000));
    let fits = format!("NOOP {}\r\n", "x".repeat(2048 - 7));
    let endless = "x".repeat(5000);
    let ok = "250 2.0.0 ok\r\n";
    let form_mail = "501 5.5.4 syntax: MAIL FROM:<address> [parameters]\r\n";
    vec![
        hi("unknown verb", &["XYZZY\r\n", "QUIT\r\n"], &[UNKNOWN, BYE]),
        hi("http", &["POST / HTTP/1.1\r\nHost: x\r\n\r\n", M, R], &[NOT_HTTP]),
        hi("empty line", &["\r\n", "NOOP\r\n"], &[UNKNOWN, ok]),
        hi("leading space", &[" NOOP\r\n"], &[UNKNOWN]),
        hi("too long line, then the next", &[&long_noop, "NOOP\r\n"], &[LONG, ok]),
        hi("longest line", &[&fits], &[ok]),
        hi("endless line, half-closed", &[&endless], &[LONG]),
        hi("NUL in verb", &["NO\0OP\r\n"], &[BAD_OCTET]),
        hi("NUL in argument", &["NOOP \0\r\n"], &[BAD_OCTET]),
        hi("escape in argument", &["VRFY \x1b[31m\r\n"], &[BAD_OCTET]),
        hi("bare LF ends no command", &["NOOP\nNOOP\r\n"], &[BARE, ok]),
        hi("bare CR in command", &["NOOP\rQUIT\r\nNOOP\r\n"], &[BARE, ok]),
        hi("bare LF alone", &["\n\n"], &[BARE, BARE]),
        hi("half a command, half-closed", &["NOO"], &[]),
        hi("8-bit in hello", &["HELO h\u{e9}\r\n"], &[BAD_OCTET]),
        hi("8-bit verb", &["N\u{d6}\u{d6}P\r\n"], &[BAD_OCTET]),
        hi("two hello names", &["HELO a b\r\n"], &["501 5.5.4 syntax: HELO name\r\n"]),
        case("no hello name", &["EHLO\r\n"], &["501 5.5.4 syntax: EHLO name\r\n"], 0),
        case("LHLO to SMTP", &["LHLO c\r\n"], &["500 5.5.1 this is SMTP; say EHLO\r\n"], 0),
        case("MAIL before hello", &[M], &[HELLO], 0),
        case("DATA before hello", &["DATA\r\n"], &[HELLO], 0),
        case("QUIT before hello", &["QUIT\r\n"], &[BYE], 0),
        hi("RCPT before MAIL", &[R], &["503 5.5.1 MAIL first\r\n"]),
        hi("DATA before MAIL", &["DATA\r\n"], &["503 5.5.1 MAIL first\r\n"]),
        hi("DATA before RCPT", &[M, "DATA\r\n", "NOOP\r\n"], &[M_OK, NONE, ok]),
        hi("nested MAIL", &[M, M], &[M_OK, "503 5.5.1 a transaction is open; RSET first\r\n"]),
        hi("hello ends the transaction", &[M, HI, R], &[M_OK, HI_OK, "503 5.5.1 MAIL first\r\n"]),
        hi(
            "DATA with argument",
            &[M, R, "DATA 1\r\n"],
            &[M_OK, R_OK, "501 5.5.4 syntax: DATA\r\n"],
        ),
        hi("no colon", &["MAIL FROM <a@b.test>\r\n"], &[form_mail]),
        hi("no brackets", &["MAIL FROM:a@b.test\r\n"], &[form_mail]),
        hi("glued parameter", &["MAIL FROM:<a@b.test>SIZE=1\r\n"], &[form_mail]),
        hi(
            "unknown parameter",
            &["MAIL FROM:<a@b.test> FOO=1\r\n"],
            &["555 5.5.4 parameter FOO not recognised\r\n"],
        ),
        hi(
            "parameter twice",
            &["MAIL FROM:<a@b.test> SIZE=1 SIZE=2\r\n"],
            &["501 5.5.4 bad parameter SIZE\r\n"],
        ),
        hi("size too big", &["MAIL FROM:<a@b.test> SIZE=1001\r\n"], &[BIG]),
        hi("size of 20 digits", &["MAIL FROM:<a@b.test> SIZE=99999999999999999999\r\n"], &[BIG]),
        hi(
            "international sender without SMTPUTF8",
            &["MAIL FROM:<j\u{fc}@b.test>\r\n"],
            &["553 5.6.7 the address needs SMTPUTF8 in the MAIL command\r\n"],
        ),
        hi(
            "international recipient without SMTPUTF8",
            &[M, "RCPT TO:<j\u{fc}@b.test>\r\n"],
            &[M_OK, "553 5.6.7 the address needs SMTPUTF8 in the MAIL command\r\n"],
        ),
        hi(
            "too many recipients",
            &[M, R, R, R, R],
            &[M_OK, R_OK, R_OK, R_OK, "452 4.5.3 too many recipients\r\n"],
        ),
        hi(
            "answers keep their order in a burst",
            &[M, R, "RCPT TO:<refused@b.test>\r\n", "RCPT TO:x\r\n", R, "VRFY a\r\n"],
            &[
                M_OK,
                R_OK,
                "550 5.1.1 no such mailbox\r\n",
                "501 5.5.4 syntax: RCPT TO:<address> [parameters]\r\n",
                R_OK,
                "252 2.1.5 cannot verify; send a message and see\r\n",
            ],
        ),
        hi(
            "error budget",
            &["A\r\n", "B\r\n", "C\r\n", "D\r\n", "E\r\n", "F\r\n"],
            &[
                UNKNOWN,
                UNKNOWN,
                UNKNOWN,
                UNKNOWN,
                UNKNOWN,
                "421 4.7.0 too many errors, closing\r\n",
            ],
        ),
        hi("EXPN", &["EXPN all\r\n"], &["502 5.5.1 EXPN is not offered\r\n"]),
        hi("XFORWARD from anyone", &["XFORWARD ADDR=127.0.0.1\r\n"], &[UNKNOWN]),
        hi(
            "STARTTLS that is not offered",
            &["STARTTLS\r\n"],
            &["502 5.5.1 STARTTLS is not offered\r\n"],
        ),
        hi(
            "AUTH that is not offered",
            &["AUTH PLAIN AA==\r\n"],
            &["502 5.5.1 AUTH is not offered\r\n"],
        ),
        hi("what follows QUIT is not read", &["QUIT\r\n", "NOOP\r\n"], &[BYE]),
    ]
}

fn data_cases() -> Vec<Case> {
    let long = format!("{}\r\n.\r\n", "x".repeat(600));
    let fits = format!("{}\r\n.\r\n", "x".repeat(500));
    let too_big = format!("{}.\r\n", "0123456789\r\n".repeat(100));
    let smuggle = |form: &str| format!("a{form}MAIL FROM:<evil@x.test>\r\n.\r\n");
    let long_line = "550 5.6.0 line too long in message\r\n";
    vec![
        data("a message", "Subject: x\r\n\r\n..\r\n.\r\n", &[TAKEN], 1),
        data("an empty message", ".\r\n", &[TAKEN], 1),
        data("smuggling LF . LF", &smuggle("\n.\n"), &[BARE_LF], 0),
        data("smuggling LF . CRLF", &smuggle("\n.\r\n"), &[BARE_LF], 0),
        data("smuggling CRLF . LF", &smuggle("\r\n.\n"), &[BARE_LF], 0),
        data("smuggling CR . CRLF", &smuggle("\r.\r\n"), &[BARE_CR], 0),
        data("smuggling CRLF . CR", &smuggle("\r\n.\r"), &[BARE_CR], 0),
        data("smuggling CR . CR", &smuggle("\r.\r"), &[BARE_CR], 0),
        data("smuggling CRLF . CR CRLF", &smuggle("\r\n.\r\r\n"), &[BARE_CR], 0),
        data("smuggling CRLF NUL . CRLF", &smuggle("\r\n\0.\r\n"), &[TAKEN], 1),
        data("8-bit and NUL in the message", "\u{ff}\0\r\n.\r\n", &[TAKEN], 1),
        data("a line at the limit", &fits, &[TAKEN], 1),
        data("a line over the limit", &long, &[long_line], 0),
        data("more than the size limit", &too_big, &[BIG], 0),
        data(
            "refused while it comes",
            "REFUSE ME\r\nmore\r\n.\r\n",
            &["554 5.6.0 as you wish\r\n"],
            0,
        ),
        case(
            "the size was a lie",
            &[HI, "MAIL FROM:<a@b.test> SIZE=10\r\n", R, "DATA\r\n", &too_big, "QUIT\r\n"],
            &[HI_OK, M_OK, R_OK, D_OK, BIG, BYE],
            0,
        ),
        case(
            "half-closed in DATA",
            &[HI, M, R, "DATA\r\n", "a\r\n."],
            &[HI_OK, M_OK, R_OK, D_OK],
            0,
        ),
        case(
            "two messages in one burst",
            &[HI, M, R, "DATA\r\na\r\n.\r\n", M, R, "DATA\r\nb\r\n.\r\nQUIT\r\n"],
            &[HI_OK, M_OK, R_OK, D_OK, TAKEN, M_OK, R_OK, D_OK, TAKEN, BYE],
            2,
        ),
        case(
            "pipelined DATA after refused recipients",
            &[HI, M, "RCPT TO:<refused@b.test>\r\n", "DATA\r\n", "QUIT\r\n"],
            &[HI_OK, M_OK, "550 5.1.1 no such mailbox\r\n", NONE, BYE],
            0,
        ),
    ]
}

fn bdat_cases() -> Vec<Case> {
    let rset = "503 5.5.1 the message failed; RSET first\r\n";
    let ok = "250 2.0.0 ok\r\n";
    let five = "250 2.0.0 5 octets received\r\n";
    let big = "0123456789\r\n".repeat(100);
    let go_on = "503 5.5.1 BDAT must go on or RSET\r\n";
    vec![
        bdat("chunks", &["BDAT 5\r\nabc\r\n", "BDAT 0 LAST\r\n"], &[five, TAKEN], 1),
        bdat("dots are content", &["BDAT 5 LAST\r\n\r\n.\r\n", "QUIT\r\n"], &[TAKEN, BYE], 1),
        bdat("commands in a chunk", &["BDAT 6 LAST\r\nQUIT\r\n", "QUIT\r\n"], &[TAKEN, BYE], 1),
        bdat("bare LF in a chunk", &["BDAT 4 LAST\r\na\nb\n", "QUIT\r\n"], &[BARE_LF, BYE], 0),
        bdat("CR at the end", &["BDAT 2 LAST\r\na\r", "QUIT\r\n"], &[BARE_CR, BYE], 0),
        case(
            "a message that may not begin",
            &[HI, NEVER, R, "BDAT 6 LAST\r\nQUIT\r\n", NEVER, R, "DATA\r\n", M, "QUIT\r\n"],
            &[HI_OK, M_OK, R_OK, NOT_NOW, M_OK, R_OK, NOT_NOW, M_OK, BYE],
            0,
        ),
        case(
            "chunks of a message that may not begin",
            &[HI, NEVER, R, "BDAT 6\r\nQUIT\r\n", "BDAT 0 LAST\r\n", "RSET\r\n", M],
            &[HI_OK, M_OK, R_OK, NOT_NOW, rset, ok, M_OK],
            0,
        ),
        bdat("no size", &["BDAT\r\n"], &[BDAT_FORM], 0),
        bdat("negative size", &["BDAT -5 LAST\r\n"], &[BDAT_FORM], 0),
        bdat("enormous size", &["BDAT 18446744073709551616\r\n"], &[BDAT_FORM], 0),
        bdat("two words", &["BDAT 5 LAST LAST\r\n"], &[BDAT_FORM], 0),
        bdat("DATA after a chunk", &["BDAT 5\r\nabc\r\n", "DATA\r\n"], &[five, go_on], 0),
        bdat("MAIL after a chunk", &["BDAT 5\r\nabc\r\n", M], &[five, go_on], 0),
        bdat(
            "RSET after a chunk",
            &["BDAT 5\r\nabc\r\n", "RSET\r\n", M, "RSET\r\n"],
            &[five, ok, M_OK, ok],
            0,
        ),
        bdat("half-closed in a chunk", &["BDAT 50 LAST\r\nabc"], &[], 0),
        bdat(
            "more than the size limit",
            &["BDAT 1200\r\n", &big, "BDAT 5 LAST\r\nabc\r\n", "RSET\r\n"],
            &[BIG, rset, ok],
            0,
        ),
        bdat("cut off", &["BDAT 999999999999\r\nabc"], &[], 0),
        case(
            "a chunk without transaction is read and dropped",
            &[HI, "BDAT 6\r\nQUIT\r\n", "NOOP\r\n"],
            &[HI_OK, "503 5.5.1 MAIL first\r\n", ok],
            0,
        ),
        case(
            "an enormous chunk without transaction",
            &[HI, "BDAT 999999999999\r\nabc"],
            &[HI_OK, BIG],
            0,
        ),
        case(
            "pipelined BDAT after refused recipients",
            &[HI, M, "RCPT TO:<refused@b.test>\r\n", "BDAT 6 LAST\r\nQUIT\r\n", "QUIT\r\n"],
            &[HI_OK, M_OK, "550 5.1.1 no such mailbox\r\n", NONE, BYE],
            0,
        ),
        bdat(
            "refused while it comes",
            &["BDAT 11\r\nREFUSE ME\r\n", "BDAT 3 LAST\r\nx\r\n", "RSET\r\n", "QUIT\r\n"],
            &["554 5.6.0 as you wish\r\n", rset, ok, BYE],
            0,
        ),
    ]
}

fn other_modes() -> Vec<Case> {
    let lhlo = "250-mx.example.test\r\n250-SIZE 1000\r\n250-PIPELINING\r\n250-8BITMIME\r\n\
                250-SMTPUTF8\r\n250-CHUNKING\r\n250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n\
                250 REQUIRETLS\r\n";
    let ehlo = "250-mx.example.test\r\n250-SIZE 1000\r\n250-PIPELINING\r\n250-8BITMIME\r\n\
                250-SMTPUTF8\r\n250-CHUNKING\r\n250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n\
                250 AUTH PLAIN LOGIN\r\n";
    let hi = "EHLO c\r\n";
    let wrong = "535 5.7.8 wrong name or password\r\n";
    let submission = |name, send: &[&str], expect: &[&str]| Case {
        mode: Mode::Submission,
        ..case(name, &[&[hi], send].concat(), &[&[ehlo], expect].concat(), 0)
    };
    let done = "235 2.7.0 authenticated as alice\r\n";
    let long = format!("AUTH PLAIN {}\r\n", "A".repeat(13_000));
    let fits = format!("AUTH PLAIN {}\r\n", "A".repeat(12_000));
    vec![
        Case {
            mode: Mode::Lmtp,
            ..case(
                "LMTP answers each recipient",
                &["LHLO c\r\n", M, R, "RCPT TO:<late-452@b.test>\r\nDATA\r\nx\r\n.\r\n"],
                &[lhlo, M_OK, R_OK, R_OK, D_OK, TAKEN, "452 4.2.2 full\r\n"],
                1,
            )
        },
        Case {
            mode: Mode::Lmtp,
            ..case(
                "LMTP answers each recipient of a message that may not begin",
                &["LHLO c\r\n", NEVER, R, R, "BDAT 6 LAST\r\nQUIT\r\n", NEVER, R, R]
                    .into_iter()
                    .chain(["BDAT 6\r\nQUIT\r\n", "RSET\r\n", "QUIT\r\n"])
                    .collect::<Vec<_>>(),
                &[lhlo, M_OK, R_OK, R_OK, NOT_NOW, NOT_NOW, M_OK, R_OK, R_OK]
                    .into_iter()
                    .chain([NOT_NOW, "250 2.0.0 ok\r\n", BYE])
                    .collect::<Vec<_>>(),
                0,
            )
        },
        Case {
            mode: Mode::Lmtp,
            ..case("EHLO to LMTP", &[hi], &["500 5.5.1 this is LMTP; say LHLO\r\n"], 0)
        },
        submission("MAIL before AUTH", &[M], &["530 5.7.0 authentication required\r\n"]),
        submission("AUTH", &["AUTH PLAIN AGFsaWNlAGRlbW8=\r\n", M], &[done, M_OK]),
        submission(
            "AUTH with a wrong password",
            &["AUTH PLAIN AGFsaWNlAGRlbQ==\r\n", M],
            &[wrong, "530 5.7.0 authentication required\r\n"],
        ),
        submission(
            "AUTH twice",
            &["AUTH PLAIN AGFsaWNlAGRlbW8=\r\n", "AUTH PLAIN AGFsaWNlAGRlbW8=\r\n"],
            &[done, "503 5.5.1 already authenticated\r\n"],
        ),
        submission(
            "AUTH in two lines",
            &["AUTH PLAIN\r\n", "AGFsaWNlAGRlbW8=\r\n"],
            &["334 VXNlcm5hbWU6\r\n", done],
        ),
        submission(
            "AUTH given up",
            &["AUTH PLAIN\r\n", "*\r\n", "NOOP\r\n"],
            &["334 VXNlcm5hbWU6\r\n", "501 5.7.0 authentication cancelled\r\n", "250 2.0.0 ok\r\n"],
        ),
        submission(
            "AUTH with what is not base64",
            &["AUTH PLAIN !!!\r\n", "AUTH PLAIN\r\n", "AGF\r\n"],
            &["501 5.5.2 not base64\r\n", "334 VXNlcm5hbWU6\r\n", "501 5.5.2 not base64\r\n"],
        ),
        submission("AUTH with a long line", &[&fits], &[wrong]),
        submission("AUTH with a line too long", &[&long, "NOOP\r\n"], &[LONG, "250 2.0.0 ok\r\n"]),
        submission(
            "AUTH with an unknown mechanism",
            &["AUTH CRAM-MD5\r\n"],
            &["504 5.5.4 mechanism not offered\r\n"],
        ),
        submission(
            "AUTH by guessing",
            &[&"AUTH PLAIN AGFsaWNlAGRlbQ==\r\n".repeat(4)],
            &[wrong, wrong, wrong, "421 4.7.0 too many failed authentications, closing\r\n"],
        ),
    ]
}

fn profile(mode: Mode) -> ServerProfile {
    let mut profile = ServerProfile::new("mx.example.test", mode);
    profile.size_limit = 1000;
    profile.max_recipients = 3;
    profile.max_line = 500;
    profile.max_errors = 5;
    if mode == Mode::Submission {
        profile.extensions.auth = true;
        profile.auth_needs_tls = false;
        profile.mechanisms = vec!["PLAIN".into(), "LOGIN".into()];
    }
    profile
}

async fn dialogue(case: &Case, profile: ServerProfile, piece: usize) -> (String, Recorder) {
    let recorder = Recorder::default();
    let stream = start(profile, &recorder, None, CancellationToken::new());
    let (mut from, mut to) = tokio::io::split(stream);
    // U+00FF and below stand for octets.
    let octets: Vec<u8> = if case.name.starts_with("8-bit") {
        case.send.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
    } else {
        case.send.clone().into_bytes()
    };
    let sending = async {
        for part in octets.chunks(piece) {
            // The server may have closed; then the rest is not read.
            if to.write_all(part).await.is_err() {
                return;
            }
            if piece == 1 {
                tokio::task::yield_now().await;
            }
        }
        let _ = to.shutdown().await;
    };
    let mut answers = String::new();
    let (_, read) = tokio::join!(sending, from.read_to_string(&mut answers));
    read.unwrap();
    (answers, recorder)
}

#[tokio::test]
async fn every_dialogue_has_its_exact_answers() {
    let cases = [command_cases(), data_cases(), bdat_cases(), other_modes()].concat_all();
    assert!(cases.len() >= 90, "{} dialogues", cases.len());
    for case in &cases {
        for piece in [usize::MAX, 1, 7] {
            let (answers, recorder) = dialogue(case, profile(case.mode), piece).await;
            let greeting = match case.mode {
                Mode::Lmtp => "220 mx.example.test LMTP ready\r\n",
                _ => GREETING,
            };
            let expect = format!("{greeting}{}", case.expect);
            assert_eq!(answers, expect, "{} in pieces of {piece}", case.name);
            assert_eq!(recorder.messages(), case.taken, "{}", case.name);
        }
    }
}

trait ConcatAll {
    fn concat_all(self) -> Vec<Case>;
}

impl<const N: usize> ConcatAll for [Vec<Case>; N] {
    fn concat_all(self) -> Vec<Case> {
        self.into_iter().flatten().collect()
    }
}

#[tokio::test]
async fn bare_newlines_are_normalised_if_so_set() {
    for case in [
        data("LF", "a\nb\n.\r\nc\r\n.\r\n", &[TAKEN], 1),
        bdat("LF", &["BDAT 10 LAST\r\na\nb\n.\r\nc\r\n"], &[TAKEN], 1),
    ] {
        let mut profile = profile(Mode::Smtp);
        profile.bare_newlines = BareNewlines::Normalise;
        let (answers, recorder) = dialogue(&case, profile, 3).await;
        assert_eq!(answers, format!("{GREETING}{}", case.expect));
        assert_eq!(recorder.last().body, b"a\r\nb\r\n.\r\nc\r\n");
        assert!(recorder.ended.lock().unwrap().iter().all(|e| !matches!(e, Ended::Broken(_))));
    }
}
