use super::*;
use crate::parse::apply_literal;
use std::path::Path;
use std::time::Duration;

fn mistakes(text: &str) -> Vec<Mistake> {
    match parse(text, Path::new("concord.toml")) {
        Err(SettingsError::Mistakes { mistakes, .. }) => mistakes,
        Err(other) => panic!("{other}"),
        Ok(_) => Vec::new(),
    }
}

#[test]
fn every_literal_of_the_schema_is_valid() {
    for section in schema() {
        for key in section.keys {
            for literal in [key.default, Some(key.sample), key.demo].into_iter().flatten() {
                let mut settings = Settings::default();
                assert!(
                    apply_literal(key, Some(literal), &mut settings),
                    "{}.{} = {literal}",
                    section.name,
                    key.name
                );
            }
        }
    }
}

#[test]
fn an_empty_file_means_the_defaults() {
    let settings = parse("", Path::new("x")).unwrap();
    assert_eq!(settings, Settings::default());
    assert_eq!(settings.limits.message_size, concord_base::ByteSize::mib(50));
    assert_eq!(settings.queue.expire_after, Duration::from_secs(5 * 86_400));
    assert_eq!(settings.listen.smtp.len(), 2);
    assert_eq!(settings.tls.certificate, None);
}

#[test]
fn rendered_files_read_back() {
    let example = parse(&example(Preset::Example), Path::new("x")).unwrap();
    assert_eq!(example, Settings::default());
    let hostname = "mail.example.com";
    let production =
        parse(&render::example(Preset::Production { hostname }), Path::new("x")).unwrap();
    assert_eq!(production.server.hostname, hostname);
    let demo = parse(&render::example(Preset::Demo), Path::new("x")).unwrap();
    let ports: Vec<_> =
        demo.listen.all().iter().flat_map(|(_, a)| a.iter().map(|a| a.to_string())).collect();
    assert_eq!(
        ports,
        [
            "127.0.0.1:2525",
            "127.0.0.1:2587",
            "127.0.0.1:2143",
            "127.0.0.1:2993",
            "127.0.0.1:2110",
            "127.0.0.1:2389",
            "127.0.0.1:2080",
            "127.0.0.1:2443"
        ]
    );
    assert!(demo.tls.allow_plaintext_auth);
}

/// Uncommenting every sample must give a file whose only objections are
/// those between values.
#[test]
fn every_commented_line_is_a_valid_line() {
    let text: String = example(Preset::Example)
        .lines()
        .map(|line| {
            let bare = line.strip_prefix('#').filter(|l| l.contains(" = ") && !l.starts_with(' '));
            format!("{}\n", bare.unwrap_or(line))
        })
        .collect();
    let found = mistakes(&text);
    let keys: Vec<_> = found.iter().filter_map(|m| m.key.as_deref()).collect();
    let between = [
        // nobody certifies localhost, the terms are not agreed to, and tls.certificate is set
        "acme.directory",
        "acme.directory",
        "acme.directory",
        "acme.hook",
        "acme.dns-server",
        "internet-mail.smart-host-user",
    ];
    assert_eq!(keys, between, "{found:?}");
}

#[test]
fn every_mistake_is_reported_at_once_with_its_line() {
    let text = "\
[server]
hostname = \"-bad-\"
[limit]
message-size = 1
[limits]
message-size = 12
mesage-size = \"1 MiB\"
recipients = 5
[listen]
smtp = [\"nowhere\", \"127.0.0.1:25\", 7]
[logging]
level = \"inform\"
hostname = \"x\"
wholly-different = 1
[queue]
expire-after = \"5 weeks\"
retry-schedule = []
";
    let found: Vec<_> = mistakes(text)
        .into_iter()
        .map(|m| format!("{}:{} {}: {}", m.line, m.column, m.key.unwrap_or_default(), m.what))
        .collect();
    let expected = [
        "2:12 server.hostname: '-bad-' is not a host name; write one like 'mail.example.com'",
        "3:2 : unknown section 'limit'; did you mean [limits]?",
        "6:16 limits.message-size: expected a size in quotes such as \"50 MiB\", found the number 12",
        "7:1 limits.mesage-size: unknown key; did you mean 'message-size'?",
        "8:14 limits.recipients: 5 is out of range; write 100 to 100000",
        "10:9 listen.smtp: 'nowhere' is not an address and port; write \"0.0.0.0:25\" or \"[::]:25\"",
        "10:36 listen.smtp: expected a text in quotes, found the number 7",
        "12:9 logging.level: 'inform' is not one of error, warn, info, debug, trace (did you mean \"info\"?)",
        "13:1 logging.hostname: unknown key; 'hostname' belongs to [server]",
        "14:1 logging.wholly-different: unknown key; [logging] has level, format, rotate-size, rotate-keep",
        "16:16 queue.expire-after: '5 weeks' is not a duration; write a number and a unit, for example '5 d', '4 h', '30 min', '15 s' or '200 ms'",
        "17:18 queue.retry-schedule: the list is empty; write at least one duration",
    ];
    assert_eq!(found, expected);
}

#[test]
fn several_syntax_errors_are_reported_at_once() {
    let found = mistakes("[server]\nhostname = \n[limits]\nrecipients = = 3\nrecipients = 200\n");
    let lines: Vec<_> = found.iter().map(|m| m.line).collect();
    assert!(lines.contains(&2) && lines.contains(&4), "{found:?}");
}

#[test]
fn duplicate_and_overlapping_listeners_are_named() {
    let found = mistakes(
        "[listen]\nsmtp = [\"127.0.0.1:2525\"]\nimap = [\"127.0.0.1:2525\"]\n\
         pop3 = [\"0.0.0.0:993\"]\n",
    );
    let found: Vec<_> = found.iter().map(|m| format!("{}: {}", m.line, m.what)).collect();
    assert_eq!(
        found,
        [
            "3: 127.0.0.1:2525 is taken by 127.0.0.1:2525 of listen.smtp (line 2); give each \
             listener its own port",
            "4: 0.0.0.0:993 is taken by 0.0.0.0:993 of listen.imaps (a default); give each \
             listener its own port",
        ]
    );
}

#[test]
fn values_that_need_each_other() {
    let found =
        mistakes("[tls]\ncertificate = \"a.pem\"\n[controller]\nback-off-min = \"2 min\"\n");
    assert_eq!(found.len(), 2, "{found:?}");
    let found = mistakes(
        "[internet-mail]\nsmart-host = \"relay:587\"\nsmart-host-user = \"u\"\n\
         smart-host-password-file = \"p\"\n",
    );
    assert_eq!(found.len(), 1);
    assert!(found[0].what.contains("unprotected"));
}

#[test]
fn what_does_not_go_together_in_acme() {
    let keys = |text: &str| -> Vec<String> {
        let text = format!("[server]\nhostname = \"mail.example.com\"\n[acme]\n{text}");
        mistakes(&text).into_iter().filter_map(|m| m.key).collect()
    };
    let on = "directory = \"https://ca.example/dir\"\naccept-terms = true\n";
    assert!(keys(on).is_empty());
    assert_eq!(keys("directory = \"https://ca.example/dir\"\n"), ["acme.directory"]);
    assert_eq!(keys("directory = \"http://ca.example/dir\"\n"), ["acme.directory"]);
    assert_eq!(keys(&format!("{on}names = [\"*.example.com\"]\n")), ["acme.names"]);
    assert_eq!(keys(&format!("{on}names = [\"example\", \"10.0.0.1\"]\n")).len(), 2);
    assert_eq!(keys(&format!("{on}contact = [\"nobody\"]\n")), ["acme.contact"]);
    assert_eq!(keys(&format!("{on}challenge = \"dns-01\"\n")), ["acme.challenge"]);
    let hook = "challenge = \"dns-01\"\nnames = [\"*.example.com\"]\nhook = \"h\"\n";
    assert!(keys(&format!("{on}{hook}")).is_empty());
    let both = format!("{on}{hook}dns-server = \"[::1]:53\"\ndns-key-file = \"k\"\n");
    assert_eq!(keys(&both), ["acme.hook"]);
    assert_eq!(keys(&format!("{on}external-account-id = \"kid\"\n")), ["acme.external-account-id"]);
    // A certificate for 'localhost' can be had from nobody.
    let found = mistakes(&format!("[acme]\n{on}"));
    assert!(found[0].what.contains("'localhost'"), "{found:?}");
}

#[test]
fn smart_hosts_in_every_form() {
    for (text, host, port) in [
        ("relay.example.net:587", "relay.example.net", 587),
        ("relay.example.net", "relay.example.net", 25),
        ("127.0.0.1:2526", "127.0.0.1", 2526),
        ("[::1]:25", "::1", 25),
        ("::1", "::1", 25),
    ] {
        let smart_host = check::smart_host(text).unwrap();
        assert_eq!((smart_host.host.as_str(), smart_host.port), (host, port), "{text}");
    }
    for text in ["", "relay:0", "relay:x", "a b:25", ":25"] {
        assert!(check::smart_host(text).is_err(), "{text}");
    }
}

#[test]
fn networks_of_proxies_are_exact_and_not_too_wide() {
    let listed = |network: &str| format!("[listen]\nproxies = [\"{network}\"]\n");
    for (network, shown) in [
        ("10.0.0.1", "10.0.0.1"),
        ("192.0.2.0/255.255.255.240", "192.0.2.0/28"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("2001:db8::/32", "2001:db8::/32"),
    ] {
        let settings = parse(&listed(network), Path::new("x")).unwrap();
        assert_eq!(settings.listen.proxies[0].to_string(), shown);
    }
    for (network, reason) in [
        ("0.0.0.0/0", "write the addresses of the proxies, or a network of /8 or narrower"),
        ("::/0", "a network of /32 or narrower"),
        ("0.0.0.0/1", "too wide"),
        ("2000::/3", "too wide"),
        ("10.0.0.1/8", "write '10.0.0.0/8' for the network, or '10.0.0.1' for that host"),
        ("lb.example.com", "write an address, or a network like '10.0.0.0/8'"),
    ] {
        let found = mistakes(&listed(network));
        assert_eq!(found.len(), 1, "{network}");
        assert_eq!(found[0].key.as_deref(), Some("listen.proxies"));
        assert!(found[0].what.contains(reason), "{network}: {}", found[0].what);
    }
    assert_eq!(Settings::default().listen.proxies, []);
}

#[test]
fn a_loaded_file_has_absolute_paths_and_a_missing_one_advice() {
    let dir = tempfile::tempdir().unwrap();
    let root = Root::new(dir.path()).unwrap();
    let error = load(&root).unwrap_err();
    assert!(error.to_string().contains("concord up"), "{error}");
    std::fs::create_dir(root.etc()).unwrap();
    std::fs::write(root.config_file(), "[tls]\ncertificate = \"etc/c.pem\"\nkey = \"/k.pem\"\n")
        .unwrap();
    let settings = load(&root).unwrap();
    assert_eq!(settings.tls.certificate, Some(root.etc().join("c.pem")));
    assert_eq!(settings.tls.key, Some("/k.pem".into()));
}

#[test]
fn durations_print_as_they_read() {
    for text in ["5 d", "4 h", "90 min", "15 s", "200 ms", "0 s"] {
        assert_eq!(format_duration(parse_duration(text).unwrap()), text);
    }
    for text in ["", "5", "d", "-1 s", "1.5 h", "99999999999999999999 d"] {
        assert!(parse_duration(text).is_err(), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,400}") {
        let _ = parse(&text, Path::new("x"));
    }

    #[test]
    fn no_value_makes_the_reader_panic(value in "[-\"\\[\\]{}=.,:a-z0-9 \n]{0,80}") {
        for section in schema() {
            for key in section.keys {
                let _ = parse(&format!("[{}]\n{} = {value}", section.name, key.name), Path::new("x"));
            }
        }
    }
}
