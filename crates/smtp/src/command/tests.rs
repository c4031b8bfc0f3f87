use super::*;
use concord_address::SmtpAddress;
use proptest::prelude::*;

fn parse(line: &str) -> Result<Command, CommandError> {
    Command::parse(line.as_bytes())
}

fn mail(line: &str) -> MailCommand {
    match parse(line) {
        Ok(Command::Mail(mail)) => *mail,
        other => panic!("{line}: {other:?}"),
    }
}

fn rcpt(line: &str) -> RcptCommand {
    match parse(line) {
        Ok(Command::Rcpt(rcpt)) => *rcpt,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn all_parameters_of_mail_and_rcpt() {
    let all = mail(
        "mail from:<a@example.test> size=100 body=8bitmime SMTPUTF8 ret=hdrs ENVID=QQ+2B1 AUTH=<>",
    );
    assert_eq!(
        all.to_string(),
        "MAIL FROM:<a@example.test> SIZE=100 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ+2B1 AUTH=<>"
    );
    assert_eq!(all.envid.as_deref(), Some("QQ+1"));
    let all = rcpt("RCPT TO:<b@example.test> NOTIFY=DELAY,success ORCPT=rfc822;b+2Bc@x.test");
    assert_eq!(all.orcpt.as_deref(), Some("rfc822;b+c@x.test"));
    assert_eq!(
        all.to_string(),
        "RCPT TO:<b@example.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+2Bc@x.test"
    );
}

#[test]
fn paths() {
    assert_eq!(mail("MAIL FROM:<>").from, ReversePath(None));
    assert_eq!(mail("MAIL FROM: <a@b.test>").from.to_string(), "<a@b.test>");
    assert_eq!(rcpt("RCPT TO:<PostMaster>").to, ForwardPath::Postmaster);
    assert_eq!(rcpt("RCPT TO:<@r1.test,@r2.test:a@b.test>").to.to_string(), "<a@b.test>");
    assert_eq!(rcpt("RCPT TO:<\"a>b\"@c.test>").to.to_string(), "<\"a>b\"@c.test>");
    assert_eq!(rcpt("RCPT TO:<\"@x:a\"@c.test>").to.to_string(), "<\"@x:a\"@c.test>");
    assert!(rcpt("RCPT TO:<jürgen@c.test>").utf8);
    assert_eq!(parse("MAIL FROM:<jürgen@c.test>"), Err(CommandError::NeedsSmtpUtf8));
    assert!(mail("MAIL FROM:<jürgen@c.test> SMTPUTF8").smtputf8);
}

#[test]
fn refusals() {
    use CommandError::*;
    type Fits = fn(&CommandError) -> bool;
    let cases: &[(&[u8], Fits)] = &[
        (b"", |e| *e == UnknownVerb),
        (b" NOOP", |e| *e == UnknownVerb),
        (b"XYZZY", |e| *e == UnknownVerb),
        (b"MAILFROM:<a@b.test>", |e| *e == UnknownVerb),
        (b"POST / HTTP/1.1", |e| *e == Http),
        (b"connect mx:25 HTTP/1.1", |e| *e == Http),
        (b"NO\0OP", |e| *e == BadOctet),
        (b"NOOP \0", |e| *e == BadOctet),
        (b"EHLO caf\xc3\xa9", |e| *e == BadOctet),
        (b"RCPT TO:<\xff@b.test>", |e| *e == BadOctet),
        (b"EHLO", |e| matches!(e, Syntax(_))),
        (b"EHLO a b", |e| matches!(e, Syntax(_))),
        (b"DATA now", |e| matches!(e, Syntax(_))),
        (b"MAIL", |e| matches!(e, Syntax(_))),
        (b"MAIL FROM", |e| matches!(e, Syntax(_))),
        (b"MAIL FROM:a@b.test", |e| matches!(e, Syntax(_))),
        (b"MAIL TO:<a@b.test>", |e| matches!(e, Syntax(_))),
        (b"MAIL FROM:<a@b.test>SIZE=1", |e| matches!(e, Syntax(_))),
        (b"MAIL FROM:<a@b.test", |e| matches!(e, Syntax(_))),
        (b"MAIL FROM:<a>", |e| matches!(e, BadSender(_))),
        (b"RCPT TO:<>", |e| matches!(e, BadRecipient(_))),
        (b"RCPT TO:<a@b..test>", |e| matches!(e, BadRecipient(_))),
        (b"MAIL FROM:<a@b.test> SIZE=-1", |e| *e == BadParameter("SIZE")),
        (b"MAIL FROM:<a@b.test> SIZE=1 SIZE=1", |e| *e == BadParameter("SIZE")),
        (b"MAIL FROM:<a@b.test> SIZE=999999999999999999999", |e| *e == BadParameter("SIZE")),
        (b"MAIL FROM:<a@b.test> BODY=9BIT", |e| *e == BadParameter("BODY")),
        (b"MAIL FROM:<a@b.test> BODY=BINARYMIME", |e| matches!(e, UnknownParameter(_))),
        (b"MAIL FROM:<a@b.test> MT-PRIORITY=3", |e| matches!(e, UnknownParameter(_))),
        (b"MAIL FROM:<a@b.test> ENVID=a+0Db", |e| *e == BadParameter("ENVID")),
        (b"RCPT TO:<a@b.test> NOTIFY=NEVER,DELAY", |e| *e == BadParameter("NOTIFY")),
        (b"RCPT TO:<a@b.test> ORCPT=a@b.test", |e| *e == BadParameter("ORCPT")),
        (b"RCPT TO:<a@b.test> =x", |e| matches!(e, Syntax(_))),
        (b"BDAT", |e| matches!(e, Syntax(_))),
        (b"BDAT -1", |e| matches!(e, Syntax(_))),
        (b"BDAT +1", |e| matches!(e, Syntax(_))),
        (b"BDAT 99999999999999999999", |e| matches!(e, Syntax(_))),
        (b"BDAT 1 FIRST", |e| matches!(e, Syntax(_))),
        (b"BDAT 1 LAST LAST", |e| matches!(e, Syntax(_))),
        (b"AUTH", |e| matches!(e, Syntax(_))),
        (b"AUTH PLAIN a b", |e| matches!(e, Syntax(_))),
    ];
    for (line, fits) in cases {
        let error = Command::parse(line).expect_err(&line.escape_ascii().to_string());
        assert!(fits(&error), "{}: {error:?}", line.escape_ascii());
        assert!(error.reply().is_permanent() || error == Http);
    }
}

/// Whatever we take as MAIL or RCPT, the library's parser takes for the same
/// mailbox; so our strictness is the only difference.
#[test]
fn the_library_agrees_on_what_we_take() {
    for line in [
        "MAIL FROM:<a@example.test> SIZE=1000 BODY=8BITMIME RET=FULL ENVID=abc",
        "MAIL FROM:<>",
        "RCPT TO:<a.b@example.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a@b.test",
        "RCPT TO:<o'brien@example.test>",
    ] {
        let wire = format!("{line}\r\n");
        let theirs = smtp_proto::Request::parse(&mut wire.as_bytes().iter()).unwrap();
        match (parse(line).unwrap(), theirs) {
            (Command::Mail(ours), smtp_proto::Request::Mail { from }) => {
                let address = ours.from.0.map(|a| a.to_string()).unwrap_or_default();
                assert_eq!(address, from.address);
                assert_eq!(ours.size.unwrap_or(0), from.size as u64);
            }
            (Command::Rcpt(ours), smtp_proto::Request::Rcpt { to }) => {
                assert_eq!(ours.to.address().unwrap().to_string(), to.address);
            }
            other => panic!("{line}: {other:?}"),
        }
    }
}

proptest! {
    #[test]
    fn nothing_makes_it_fail(data in proptest::collection::vec(any::<u8>(), 0..200)) {
        fuzz(&data);
    }

    #[test]
    fn envelopes_read_back(
        local in "[a-z]{1,10}|\"[a-z >@]{1,10}\"", envid in "[ -~]{1,30}", size: Option<u64>,
        success: bool, failure: bool, delay: bool, original in "[!-~]{1,40}",
    ) {
        let address: SmtpAddress = format!("{local}@example.test").parse().unwrap();
        let mut mail = MailCommand::new(Some(address.clone()));
        (mail.size, mail.envid) = (size, Some(envid));
        prop_assert_eq!(parse(&mail.to_string()), Ok(Command::Mail(Box::new(mail))));
        let mut rcpt = RcptCommand::new(address);
        rcpt.notify = Some(Notify { success, failure, delay });
        rcpt.orcpt = Some(format!("rfc822;{original}"));
        prop_assert_eq!(parse(&rcpt.to_string()), Ok(Command::Rcpt(Box::new(rcpt))));
    }
}

#[test]
fn etrn_names_a_domain_and_perhaps_those_below_it() {
    let etrn = |line: &str| parse(line);
    let wanted = EtrnCommand { domain: "example.test".into(), below: false };
    assert_eq!(etrn("etrn Example.TEST"), Ok(Command::Etrn(wanted.clone())));
    let below = EtrnCommand { below: true, ..wanted };
    assert_eq!(below.to_string(), "ETRN @example.test");
    assert_eq!(etrn("ETRN @example.test "), Ok(Command::Etrn(below)));
    for wrong in
        ["ETRN", "ETRN #queue", "ETRN a@example.test", "ETRN two words", "ETRN [192.0.2.1]"]
    {
        let error = etrn(wrong).unwrap_err();
        assert_eq!(error.reply().code, 501, "{wrong}");
    }
}
