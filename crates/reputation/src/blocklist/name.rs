//! What a list is asked.

use std::fmt::Write as _;
use std::net::IpAddr;

/// The name of a client in a list (RFC 5782 sections 2.1 and 2.4).
pub(super) fn question(client: IpAddr, zone: &str) -> String {
    let mut name = String::new();
    // Writing to a String cannot fail.
    match client.to_canonical() {
        IpAddr::V4(v4) => {
            for octet in v4.octets().iter().rev() {
                let _ = write!(name, "{octet}.");
            }
        }
        IpAddr::V6(v6) => {
            for octet in v6.octets().iter().rev() {
                let _ = write!(name, "{:x}.{:x}.", octet & 15, octet >> 4);
            }
        }
    }
    name.push_str(zone.trim_end_matches('.'));
    name
}

/// Whether a list can know a client. Private addresses are somebody else's in
/// every network (RFC 1918, RFC 4193); this machine's own are asked for, since
/// every list has 127.0.0.2 to be tried with (RFC 5782 section 5).
pub(super) fn is_asked_for(client: IpAddr) -> bool {
    match client.to_canonical() {
        IpAddr::V4(v4) => !v4.is_private() && !v4.is_link_local() && !v4.is_unspecified(),
        IpAddr::V6(v6) => {
            !v6.is_unique_local() && !v6.is_unicast_link_local() && !v6.is_unspecified()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 5782.
    #[test]
    fn names_are_those_of_the_standard() {
        let ask = |ip: &str, zone| question(ip.parse().unwrap(), zone);
        assert_eq!(ask("192.0.2.99", "bad.example.com."), "99.2.0.192.bad.example.com");
        assert_eq!(ask("::ffff:192.0.2.99", "b.test"), "99.2.0.192.b.test");
        assert_eq!(
            ask("2001:db8:1:2:3:4:567:89ab", "ugly.example.com"),
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ugly.example.com"
        );
    }

    #[test]
    fn private_addresses_are_not_asked_for() {
        for (ip, asked) in [
            ("192.0.2.1", true),
            ("127.0.0.2", true),
            ("10.1.2.3", false),
            ("192.168.0.1", false),
            ("169.254.1.1", false),
            ("2001:db8::1", true),
            ("fd00::1", false),
            ("fe80::1", false),
        ] {
            assert_eq!(is_asked_for(ip.parse().unwrap()), asked, "{ip}");
        }
    }
}
