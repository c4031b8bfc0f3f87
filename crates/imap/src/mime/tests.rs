use super::*;

fn structure(message: &str) -> String {
    let part = parse(message.as_bytes());
    part.check(message.len());
    let mut out = Vec::new();
    bodystructure(&mut out, message.as_bytes(), &part, false);
    String::from_utf8_lossy(&out).into_owned()
}

fn section<'a>(message: &'a str, path: &[u32], what: Section) -> Option<&'a str> {
    let part = parse(message.as_bytes());
    resolve(&part, path, what).map(|range| &message[range])
}

const NESTED: &str = "From: a@b\r\n\
Content-Type: multipart/mixed; boundary=out\r\n\
\r\n\
preamble\r\n\
--out\r\n\
Content-Type: multipart/alternative; boundary=\"outer\"\r\n\
\r\n\
--outer\r\n\
Content-Type: text/plain; charset=utf-8\r\n\
\r\n\
plain\r\n\
--outer\r\n\
Content-Type: text/html\r\n\
Content-Transfer-Encoding: quoted-printable\r\n\
\r\n\
<p>\r\n\
</p>\r\n\
--outer--\r\n\
\r\n\
--out\r\n\
Content-Type: message/rfc822\r\n\
\r\n\
Subject: inner\r\n\
Content-Type: multipart/mixed; boundary=in\r\n\
\r\n\
--in\r\n\
\r\n\
first\r\n\
--in\r\n\
Content-Type: image/png\r\n\
Content-Disposition: attachment; filename=\"x.png\"\r\n\
\r\n\
PNG\r\n\
--in--\r\n\
--out--\r\n\
epilogue\r\n";

#[test]
fn nested_structure() {
    assert_eq!(
        structure(NESTED),
        "(((\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"7bit\" 5 0)\
         (\"text\" \"html\" (\"charset\" \"us-ascii\") NIL NIL \"quoted-printable\" 9 1) \"alternative\")\
         (\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 172 \
         (NIL \"inner\" NIL NIL NIL NIL NIL NIL NIL NIL) \
         ((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 5 0)\
         (\"image\" \"png\" NIL NIL NIL \"7bit\" 3) \"mixed\") 11) \"mixed\")"
    );
}

#[test]
fn nested_sections() {
    let get = |path: &[u32], what| section(NESTED, path, what);
    assert_eq!(get(&[1, 1], Section::Part), Some("plain"));
    assert_eq!(get(&[1, 2], Section::Part), Some("<p>\r\n</p>"));
    assert_eq!(
        get(&[1, 1], Section::Mime),
        Some("Content-Type: text/plain; charset=utf-8\r\n\r\n")
    );
    assert_eq!(get(&[2, 1], Section::Part), Some("first"));
    assert_eq!(get(&[2, 2], Section::Part), Some("PNG"));
    assert!(get(&[2], Section::Header).unwrap().starts_with("Subject: inner\r\n"));
    assert!(get(&[2], Section::Text).unwrap().starts_with("--in\r\n"));
    assert_eq!(get(&[3], Section::Part), None);
    assert_eq!(get(&[1], Section::Header), None);
    assert_eq!(get(&[1, 1, 1], Section::Part), None);
    assert_eq!(get(&[], Section::Part), Some(NESTED));
}

#[test]
fn a_message_of_one_part() {
    let message = "Subject: x\n\nhallo\n";
    assert_eq!(
        structure(message),
        "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 6 1)"
    );
    assert_eq!(section(message, &[1], Section::Part), Some("hallo\n"));
    assert_eq!(section(message, &[1, 1], Section::Part), None);
    assert_eq!(section(message, &[2], Section::Part), None);
    assert_eq!(section(message, &[], Section::Text), Some("hallo\n"));
}

#[test]
fn odd_messages() {
    for (message, expected) in [
        ("", "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0)"),
        (
            "no header at all",
            "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0)",
        ),
        (
            "Content-Type: rubbish\r\n\r\nx",
            "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 0)",
        ),
        (
            "Content-Type: multipart/mixed\r\n\r\nx",
            "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 0)",
        ),
        (
            "Content-Type: multipart/mixed; boundary=b\r\n\r\nnothing",
            "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0) \"mixed\")",
        ),
        (
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: a/b\r\n--b--\r\n",
            "((\"a\" \"b\" NIL NIL NIL \"7bit\" 0) \"mixed\")",
        ),
        (
            "Content-Type: message/rfc822\r\n\r\n",
            "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 0 \
             (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) \
             (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0) 0)",
        ),
        (
            "Content-Type: text/plain; name=\"\u{fc}\"\r\n\r\n",
            "(\"text\" \"plain\" (\"name\" {2}\r\n\u{fc}) NIL NIL \"7bit\" 0 0)",
        ),
        (
            "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: d\r\n\r\nt\r\n--b--\r\n",
            "((\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 15 \
             (NIL \"d\" NIL NIL NIL NIL NIL NIL NIL NIL) \
             (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 0) 2) \"digest\")",
        ),
    ] {
        assert_eq!(structure(message), expected, "{message}");
    }
}

#[test]
fn a_thousand_levels_are_answered() {
    let mut mail = String::new();
    for n in 0..1_000 {
        mail.push_str(&format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"));
    }
    mail.push_str("\r\nbottom\r\n");
    let text = structure(&mail);
    assert!(text.contains("\"application\" \"octet-stream\""), "{}", text.len());
    assert_eq!(text.matches("\"mixed\"").count(), 100);
    let forwarded = "Content-Type: message/rfc822\r\n\r\n".repeat(1_000);
    assert!(structure(&forwarded).contains("\"application\" \"octet-stream\""));
}

#[test]
fn many_parts_and_boundaries_take_no_time() {
    let start = std::time::Instant::now();
    let parts = "--b\r\n\r\nx\r\n".repeat(100_000);
    let mail = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{parts}");
    let part = parse(mail.as_bytes());
    assert!(matches!(part.content, Content::Multipart(children) if children.len() == 1_999));
    assert!(start.elapsed().as_secs() < 2, "{:?}", start.elapsed());
}

#[test]
fn envelopes() {
    let meta = header_meta(
        "Date: Mon, 7 Feb 1994 21:52:25 -0800\r\nFrom: Ann <a@b>\r\nTo: c@d\r\nTo: e@f\r\n\
         Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n  an alle\r\nMessage-ID: <1@b>\r\n\r\n"
            .as_bytes(),
    );
    assert_eq!(
        std::str::from_utf8(&meta.envelope).unwrap(),
        "(\"Mon, 7 Feb 1994 21:52:25 -0800\" \"=?utf-8?Q?Gr=C3=BC=C3=9Fe?=  an alle\" \
         ((\"Ann\" NIL \"a\" \"b\")) ((\"Ann\" NIL \"a\" \"b\")) ((\"Ann\" NIL \"a\" \"b\")) \
         ((NIL NIL \"c\" \"d\")(NIL NIL \"e\" \"f\")) NIL NIL NIL \"<1@b>\")"
    );
    assert_eq!(&*meta.subject, "grüße an alle");
    assert_eq!(&*meta.from, "ann <a@b>");
    assert_eq!(meta.sent_day, Some(8_803));
}

#[test]
fn header_field_choice() {
    let header = b"A: 1\r\nB: 2\r\n 3\r\nnot a field\r\na: 4\r\n\r\n";
    let (mut some, mut others) = (Vec::new(), Vec::new());
    header_fields(&mut some, header, &[b"A"]);
    header_fields_not(&mut others, header, &[b"a"]);
    assert_eq!(some, b"A: 1\r\na: 4\r\n\r\n");
    assert_eq!(others, b"B: 2\r\n 3\r\n\r\n");
}

proptest::proptest! {
    #[test]
    fn arbitrary_octets_have_a_structure(data: Vec<u8>) {
        fuzz(&data);
    }

    #[test]
    fn mail_like_input_has_a_structure(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                "Content-Type: multipart/mixed; boundary=b\r\n", "Content-Type: message/rfc822\r\n",
                "Content-Type: multipart/digest; boundary=\"b--\"\r\n", "--b\r\n", "--b--\r\n", "--b----\n",
                "\r\n", "\n", "text\r\n", "From: a <b@c>, g: x;\r\n", "Content-Disposition: x; y=(", "\"", ":",
                "Content-Transfer-Encoding: base64\r\n", " ", "Date: 1 Jan 99999 00:00\r\n",
            ]),
            0..40,
        )
    ) {
        fuzz(pieces.concat().as_bytes());
    }
}
