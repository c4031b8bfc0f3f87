use super::*;
use crate::sts::{FetchError, StsPolicy};
use concord_base::Timestamp;
use proptest::prelude::*;
use std::sync::Arc;

const HOST: &str = "mx1.example.org";

fn sts(mode: &str) -> Sts {
    if mode.is_empty() {
        return Sts::None;
    }
    let text = format!("version: STSv1\nmode: {mode}\nmx: mx1.example.org\nmax_age: 60\n");
    let policy = StsPolicy::parse(text.as_bytes()).unwrap();
    let kept = Kept { id: "1".to_owned(), fetched: Timestamp(0), policy };
    Sts::Policy { kept: Arc::new(kept), trouble: None }
}

fn record(usage: u8) -> TlsaRecord {
    TlsaRecord { usage, selector: 1, matching: 1, data: vec![7; 32] }
}

fn records(usage: u8) -> TlsaAnswer {
    TlsaAnswer::Records(vec![record(usage)])
}

fn wishes(tls: Option<DomainTls>) -> Wishes<'static> {
    Wishes { tls, ..Wishes::default() }
}

fn ask(
    wishes: Wishes<'_>,
    sts: &Sts,
    host: &str,
    tlsa: &TlsaAnswer,
) -> Result<(Demand, Basis), SecurityError> {
    let asked = Mandate::new("example.org", wishes, sts).host(host, tlsa)?;
    Ok((asked.demand, asked.basis))
}

fn verify(names: &[&str]) -> Demand {
    Demand::Verify { names: names.iter().map(|n| (*n).to_owned()).collect() }
}

fn by_policy() -> Basis {
    Basis::Sts { domain: "example.org".to_owned(), trouble: None }
}

fn tlsa_demand() -> Demand {
    let names = vec![HOST.to_owned(), "example.org".to_owned()];
    Demand::Tlsa { records: vec![record(3)], names }
}

#[test]
fn without_a_setting_the_domain_says_what_is_asked() {
    let none = wishes(None);
    for (policy, tlsa, expected) in [
        ("", TlsaAnswer::NoDnssec, (Demand::Opportunistic, Basis::Nobody)),
        ("", TlsaAnswer::Insecure, (Demand::Opportunistic, Basis::Nobody)),
        ("", TlsaAnswer::Absent, (Demand::Opportunistic, Basis::Nobody)),
        ("", records(3), (tlsa_demand(), Basis::Dane)),
        // Only records that cannot be used: RFC 7672 section 2.2.
        ("", records(1), (Demand::Encrypt, Basis::Dane)),
        ("none", TlsaAnswer::Absent, (Demand::Opportunistic, Basis::Nobody)),
        ("testing", TlsaAnswer::Absent, (Demand::Opportunistic, Basis::Nobody)),
        ("enforce", TlsaAnswer::Absent, (verify(&[HOST]), by_policy())),
        ("enforce", TlsaAnswer::Insecure, (verify(&[HOST]), by_policy())),
        ("enforce", records(1), (verify(&[HOST]), by_policy())),
        // DANE goes before MTA-STS: RFC 8461 section 2.
        ("enforce", records(3), (tlsa_demand(), Basis::Dane)),
    ] {
        assert_eq!(ask(none, &sts(policy), HOST, &tlsa), Ok(expected), "{policy} {tlsa:?}");
    }
}

#[test]
fn a_host_outside_the_policy_is_not_used_unless_dane_proves_it() {
    let (other, none) = ("mx2.example.org", wishes(None));
    let refused = ask(none, &sts("enforce"), other, &TlsaAnswer::Absent).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the MTA-STS policy of example.org asks for TLS, mx2.example.org is not in it"
    );
    assert!(ask(none, &sts("enforce"), other, &records(3)).is_ok());
    let strict = wishes(Some(DomainTls::Verify));
    assert!(ask(strict, &sts("enforce"), other, &TlsaAnswer::Absent).is_err());
    let policy = sts("testing");
    let asked = Mandate::new("example.org", none, &policy);
    let asked = asked.host(other, &TlsaAnswer::Absent).unwrap();
    assert_eq!((asked.note.as_deref(), asked.outside), (Some(other), true));
    assert_eq!(asked.demand, Demand::Opportunistic);
}

#[test]
fn without_a_sure_answer_a_host_is_not_used() {
    let bogus = TlsaAnswer::Bogus { name: format!("_25._tcp.{HOST}") };
    let unanswered = TlsaAnswer::Unanswered { cause: "timed out".to_owned() };
    for tls in [None, Some(DomainTls::Encrypt), Some(DomainTls::Verify), Some(DomainTls::Dane)] {
        for policy in ["", "enforce"] {
            let result = ask(wishes(tls), &sts(policy), HOST, &bogus);
            assert!(matches!(result, Err(SecurityError::Bogus { .. })), "{tls:?}");
            let result = ask(wishes(tls), &sts(policy), HOST, &unanswered);
            assert!(matches!(result, Err(SecurityError::TlsaUnanswered { .. })), "{tls:?}");
        }
    }
    assert!(ask(wishes(Some(DomainTls::Off)), &Sts::None, HOST, &bogus).is_ok());
}

#[test]
fn the_administrator_has_the_first_word() {
    let setting = Basis::Setting;
    for (tls, tlsa, expected) in [
        (DomainTls::Off, records(3), (Demand::Clear, setting("off"))),
        (DomainTls::Encrypt, TlsaAnswer::Insecure, (Demand::Encrypt, setting("encrypt"))),
        (DomainTls::Encrypt, records(3), (tlsa_demand(), Basis::Dane)),
        (DomainTls::Verify, TlsaAnswer::NoDnssec, (verify(&[HOST]), setting("verify"))),
        (DomainTls::Verify, records(3), (tlsa_demand(), setting("verify"))),
        (DomainTls::Verify, records(0), (verify(&[HOST]), setting("verify"))),
        (DomainTls::Dane, records(3), (tlsa_demand(), setting("dane"))),
        (
            DomainTls::Implicit,
            TlsaAnswer::Insecure,
            (Demand::Implicit { names: vec![HOST.to_owned()] }, setting("implicit")),
        ),
    ] {
        assert_eq!(ask(wishes(Some(tls)), &Sts::None, HOST, &tlsa), Ok(expected), "{tls:?}");
    }
    for tlsa in [TlsaAnswer::Insecure, TlsaAnswer::Absent, records(1)] {
        let result = ask(wishes(Some(DomainTls::Dane)), &sts("enforce"), HOST, &tlsa);
        assert!(matches!(result, Err(SecurityError::NoTlsa { .. })), "{tlsa:?}");
    }
    let result = ask(wishes(Some(DomainTls::Dane)), &Sts::None, HOST, &TlsaAnswer::NoDnssec);
    assert!(matches!(result, Err(SecurityError::NoDnssec { .. })));
    let names = ["gateway.example.net".to_owned()];
    let own = Wishes { tls: Some(DomainTls::Verify), names: &names, ..Wishes::default() };
    assert!(!Mandate::new("example.org", own, &Sts::None).wants_tlsa());
    let expected = (verify(&["gateway.example.net"]), setting("verify"));
    assert_eq!(ask(own, &sts("enforce"), "other.test", &records(3)), Ok(expected));
}

/// RFC 8689
#[test]
fn requiretls_asks_for_a_proven_host_and_a_certificate() {
    let asks = Wishes { require_tls: true, ..Wishes::default() };
    let required = |sts: &Sts, tlsa: &TlsaAnswer| ask(asks, sts, HOST, tlsa);
    let by_sender = Ok((verify(&[HOST]), Basis::RequireTls));
    assert_eq!(required(&Sts::None, &TlsaAnswer::Absent), by_sender);
    assert_eq!(required(&sts("testing"), &TlsaAnswer::Insecure), by_sender);
    assert_eq!(required(&sts("enforce"), &TlsaAnswer::Insecure).unwrap().1, by_policy());
    assert_eq!(required(&Sts::None, &records(3)).unwrap().1, Basis::Dane);
    assert_eq!(required(&Sts::None, &records(1)), by_sender);
    let unproven = required(&Sts::None, &TlsaAnswer::Insecure).unwrap_err();
    assert_eq!(unproven, SecurityError::UnprovenHost { host: HOST.to_owned() });
    let routed = Wishes { routed: true, ..asks };
    assert_eq!(ask(routed, &Sts::None, HOST, &TlsaAnswer::Insecure), by_sender);
    let off = Wishes { tls: Some(DomainTls::Off), ..asks };
    assert_eq!(ask(off, &Sts::None, HOST, &TlsaAnswer::Absent), Err(SecurityError::TlsIsOff));
}

#[test]
fn tls_required_no_sets_the_domain_aside_and_not_the_administrator() {
    let optional = Wishes { tls_optional: true, ..Wishes::default() };
    let mandate = ask(optional, &sts("enforce"), "mx2.example.org", &records(3));
    assert_eq!(mandate, Ok((Demand::Opportunistic, Basis::Nobody)));
    assert!(!Mandate::new("example.org", optional, &Sts::None).wants_tlsa());
    let strict = Wishes { tls: Some(DomainTls::Encrypt), ..optional };
    assert_eq!(ask(strict, &Sts::None, HOST, &records(3)).unwrap().0, Demand::Encrypt);
    let both = Wishes { require_tls: true, ..optional };
    assert_eq!(ask(both, &Sts::None, HOST, &records(3)).unwrap().1, Basis::Dane);
}

#[test]
fn an_older_policy_says_why_it_is_the_one() {
    let Sts::Policy { kept, .. } = sts("enforce") else { return };
    let trouble =
        Some(Arc::new(FetchError::Status { host: "mta-sts.example.org".to_owned(), status: 503 }));
    let old = Sts::Policy { kept, trouble };
    let error = ask(wishes(None), &old, "mx2.example.org", &TlsaAnswer::Absent).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the MTA-STS policy of example.org (kept; no newer one can be had: mta-sts.example.org \
         answered with status 503) asks for TLS, mx2.example.org is not in it"
    );
}

fn any_answer() -> impl Strategy<Value = TlsaAnswer> {
    prop_oneof![
        Just(TlsaAnswer::NoDnssec),
        Just(TlsaAnswer::Insecure),
        Just(TlsaAnswer::Absent),
        (0u8..5).prop_map(records),
        Just(TlsaAnswer::Bogus { name: String::new() }),
        Just(TlsaAnswer::Unanswered { cause: String::new() }),
    ]
}

fn any_tls() -> impl Strategy<Value = Option<DomainTls>> {
    use DomainTls::{Dane, Encrypt, Implicit, Off, Opportunistic, Verify};
    prop::option::of(prop::sample::select(vec![
        Off,
        Opportunistic,
        Encrypt,
        Verify,
        Dane,
        Implicit,
    ]))
}

proptest! {
    /// What is asked never falls below what anybody who counts asks for.
    #[test]
    fn no_combination_weakens_a_demand(
        tls in any_tls(),
        mode in prop::sample::select(vec!["", "none", "testing", "enforce"]),
        answer in any_answer(),
        require_tls: bool,
        outside: bool,
    ) {
        let policy = sts(mode);
        let host = if outside { "mx2.example.org" } else { HOST };
        let wishes = Wishes { tls, require_tls, ..Wishes::default() };
        let mandate = Mandate::new("example.org", wishes, &policy);
        if let Ok(asked) = mandate.host(host, &answer) {
            if require_tls || matches!(tls, Some(DomainTls::Verify | DomainTls::Dane)) {
                prop_assert!(asked.demand.proves_peer());
            }
            prop_assert!(tls != Some(DomainTls::Encrypt) || asked.demand.needs_tls());
            let left_open = matches!(tls, None | Some(DomainTls::Opportunistic));
            if left_open && mode == "enforce" {
                prop_assert!(asked.demand.proves_peer());
            }
            if left_open && answer == records(3) {
                let by_tlsa = matches!(asked.demand, Demand::Tlsa { .. });
                prop_assert!(by_tlsa);
            }
            prop_assert_eq!(asked.require_tls, require_tls);
        }
    }
}
