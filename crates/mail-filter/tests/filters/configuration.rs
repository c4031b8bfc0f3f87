//! The form of the settings.

use crate::{configs, judged, message};
use concord_mail_filter::{Action, Chain, FilterConfig, OnFailure, Traffic};

const WHOLE: &str = r#"
[[filter]]
name = "clamav"
kind = "milter"
address = "unix:/run/clamav/clamav-milter.ctl"
connect-timeout = "2 s"
timeout = "30 s"
total-time = "2 min"
on-failure = "quarantine"
for = ["inbound", "submission"]

[[filter]]
name = "rspamd"
kind = "rspamd"
url = "http://127.0.0.1:11333"
password-file = "/etc/concord/rspamd.password"
for = ["inbound"]

[[filter]]
name = "prize"
kind = "header"
header = "Subject"
matches = "(?i)^win a prize"
action = "mark"
mark = "X-Spam: Yes"

[[filter]]
name = "programs"
kind = "attachment"
file-names = ["*.exe", "*.js"]
types = ["application/x-msdownload"]
real-types = ["application/vnd.microsoft.portable-executable"]
archive-depth = 2
action = "refuse"
text = "no programs please"
"#;

#[test]
fn a_whole_configuration_is_read_and_written_again() {
    let read = configs(WHOLE);
    assert_eq!(FilterConfig::validate(&read), Ok(()));
    assert_eq!(read[0].on_failure, OnFailure::Quarantine);
    assert_eq!(read[2].on_failure, OnFailure::Defer, "the default");
    assert_eq!(read[1].traffic, [Traffic::Inbound]);
    for filter in &read {
        let text = toml::to_string(filter).unwrap();
        assert_eq!(&toml::from_str::<FilterConfig>(&text).unwrap(), filter, "{text}");
    }
}

#[test]
fn mistakes_say_where_and_what_to_do() {
    let read = configs(
        r#"
[[filter]]
name = "a b"
kind = "milter"
address = "nowhere"
for = []
[[filter]]
name = "x"
kind = "rspamd"
url = "https://127.0.0.1"
address = "127.0.0.1:1"
timeout = "20 min"
[[filter]]
name = "x"
kind = "header"
header = "Sub ject"
matches = "("
[[filter]]
name = "y"
kind = "attachment"
action = "strip"
archive-depth = 9
[[filter]]
name = "z"
kind = "rspamd"
"#,
    );
    let mistakes = FilterConfig::validate(&read).unwrap_err();
    let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    for (number, word) in [
        (1, "'name'"),
        (1, "'for' is empty"),
        (1, "'address' cannot be 'nowhere'"),
        (2, "'address' does not belong to a filter of kind rspamd"),
        (2, "'timeout' cannot be '20 min'"),
        (2, "'url' cannot be 'https://127.0.0.1'"),
        (3, "another filter has this name"),
        (3, "'header' cannot be 'Sub ject'"),
        (3, "'matches' cannot be '('"),
        (3, "'action' is missing"),
        (4, "'action' cannot be 'strip'"),
        (4, "'file-names' is missing"),
        (4, "'archive-depth' cannot be '9'"),
        (5, "'url' is missing"),
    ] {
        let start = format!("filter {number} (");
        let found = told.iter().any(|t| t.starts_with(&start) && t.contains(word));
        assert!(found, "{number} {word}: {told:#?}");
    }
}

#[test]
fn unknown_keys_and_bad_durations_are_refused_by_name() {
    let read = |line: &str| {
        let text = format!("name = \"a\"\nkind = \"milter\"\naddress = \"h:1\"\n{line}\n");
        toml::from_str::<FilterConfig>(&text).map_err(|e| e.to_string())
    };
    assert!(read("adress = \"x\"").unwrap_err().contains("adress"));
    assert!(read("timeout = \"soon\"").unwrap_err().contains("is not a duration"));
    assert!(read("on-failure = \"pray\"").unwrap_err().contains("pray"));
    assert!(read("").is_ok());
}

#[test]
fn a_password_file_that_is_not_there_is_a_mistake_of_the_start() {
    let read = configs(WHOLE);
    let told = Chain::new(&read, Traffic::Inbound).unwrap_err();
    assert!(told[0].to_string().contains("filter 2 ('rspamd'): cannot read"), "{told:?}");
}

#[tokio::test]
async fn rules_refuse_mark_and_see_only_their_traffic() {
    let text = r#"
[[filter]]
name = "refuse"
kind = "header"
header = "Subject"
contains = "casino"
action = "refuse"
text = "no games"
for = ["inbound"]
[[filter]]
name = "hold"
kind = "attachment"
types = ["text/pl*"]
action = "quarantine"
for = ["submission"]
"#;
    let inbound = Chain::new(&configs(text), Traffic::Inbound).unwrap();
    let verdict = judged(&inbound, &message("The CASINO", "x")).await;
    assert!(matches!(verdict.action, Action::Refuse(reply) if reply.text == "no games"));
    assert_eq!(judged(&inbound, &message("hello", "x")).await.action, Action::Accept);
    let submission = Chain::new(&configs(text), Traffic::Submission).unwrap();
    let plain = "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\ncasino\r\n".into();
    let verdict = judged(&submission, &plain).await;
    assert!(matches!(verdict.action, Action::Quarantine { .. }));
    let none = Chain::new(&[], Traffic::Inbound).unwrap();
    assert!(none.is_empty());
}
