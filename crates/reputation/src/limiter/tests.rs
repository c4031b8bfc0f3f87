use super::*;
use concord_mail_policy::Policy;

fn limits(text: &str) -> Vec<Limit> {
    Policy::parse(text).unwrap().limits
}

fn host(address: &str) -> Who<'static> {
    Who { client: address.parse().unwrap(), user: None, domain: None }
}

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

#[test]
fn each_subject_has_a_count_of_its_own() {
    let mut limiter = Limiter::new();
    limiter.adopt(&limits(
        "[[limit]]\nper = 'host'\nof = 'messages'\nmost = 2\nwithin = '1 h'\n\
         [[limit]]\nper = 'network'\nof = 'messages'\nmost = 3\nwithin = '1 h'\n\
         [[limit]]\nper = 'user'\nof = 'messages'\nmost = 1\nwithin = '1 d'\n\
         [[limit]]\nper = 'domain'\nof = 'recipients'\nmost = 1\nwithin = '1 m'\n",
    ));
    let mut send = |who: &Who<'_>| limiter.take(Event::Messages, who, NOW).map_err(|e| e.limit.per);
    assert_eq!(send(&host("192.0.2.1")), Ok(()));
    assert_eq!(send(&host("192.0.2.1")), Ok(()));
    assert_eq!(send(&host("192.0.2.1")), Err(Subject::Host));
    assert_eq!(send(&host("192.0.2.2")), Ok(()), "what does not fit is not counted");
    assert_eq!(send(&host("192.0.2.3")), Err(Subject::Network));
    let alice = Who { user: Some("alice"), ..host("198.51.100.1") };
    assert_eq!(send(&alice), Ok(()));
    let elsewhere = Who { user: Some("Alice"), ..host("203.0.113.1") };
    assert_eq!(send(&elsewhere), Err(Subject::User));
    let of = |domain| Who { domain: Some(domain), ..host("198.51.100.9") };
    assert!(limiter.take(Event::Recipients, &of("a.test"), NOW).is_ok());
    assert!(limiter.take(Event::Recipients, &of("b.test"), NOW).is_ok());
    let exceeded = limiter.take(Event::Recipients, &of("a.test"), NOW).unwrap_err();
    assert_eq!(exceeded.to_string(), "more than 1 recipients of one sender's domain within 1 min");
    assert!(limiter.take(Event::Recipients, &of("a.test"), NOW + exceeded.wait).is_ok());
    assert!(limiter.take(Event::Recipients, &host("198.51.100.9"), NOW).is_ok());
}

#[test]
fn a_new_state_of_the_policy_keeps_what_was_counted() {
    let row = |most| format!("[[limit]]\nper='host'\nof='messages'\nmost={most}\nwithin='1 h'\n");
    let mut limiter = Limiter::new();
    limiter.adopt(&limits(&row(2)));
    let one = host("192.0.2.1");
    limiter.take(Event::Messages, &one, NOW).unwrap();
    limiter.adopt(&limits(&row(1)));
    assert!(limiter.take(Event::Messages, &one, NOW).is_err());
    limiter.adopt(&[]);
    assert!(limiter.take(Event::Messages, &one, NOW).is_ok());
    limiter.adopt(&limits(&row(1)));
    assert!(limiter.take(Event::Messages, &one, NOW).is_ok());
}

#[test]
fn failures_count_although_they_are_too_many() {
    let mut limiter = Limiter::new();
    limiter.adopt(&limits("[[limit]]\nper='host'\nof='failed-logins'\nmost=2\nwithin='1 h'\n"));
    let one = host("192.0.2.1");
    for _ in 0..5 {
        limiter.count(Event::FailedLogins, &one, NOW);
    }
    let exceeded = limiter.check(Event::FailedLogins, &one, NOW).unwrap_err();
    assert!(exceeded.wait > Duration::from_secs(3600));
}

/// T17: a flood of addresses takes no more memory than the bound.
#[test]
fn memory_does_not_grow_with_the_number_of_clients() {
    let mut limiter = Limiter::new();
    limiter.adopt(&limits("[[limit]]\nper='host'\nof='connections'\nmost=1\nwithin='1 h'\n"));
    for n in 0..100_000u32 {
        let client = IpAddr::V4(std::net::Ipv4Addr::from_bits(n));
        let who = Who { client, user: None, domain: None };
        limiter.take(Event::Connections, &who, NOW).unwrap();
        assert!(limiter.take(Event::Connections, &who, NOW).is_err());
    }
    assert_eq!(limiter.subjects(), MAX_SUBJECTS);
}
