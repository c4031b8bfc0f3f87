//! MTA-STS (RFC 8461): which hosts a domain's mail goes to, and that they must
//! show a certificate, said over HTTPS.
//!
//! Whoever delivers asks the DNS for the record ([`read_record`]), looks what
//! is kept ([`StsStore`]), lets [`next`] decide, and fetches ([`fetch`]) if that
//! says so.

mod fetch;
mod kept;
mod policy;
mod record;
mod store;

pub use fetch::{FetchError, WELL_KNOWN, fetch, policy_host};
pub use kept::{Kept, Next, Sts, next};
pub use policy::{MxPattern, PolicyMistake, StsMode, StsPolicy};
pub use record::{StsRecord, read_record};
pub use store::StsStore;

#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    if let Ok(policy) = StsPolicy::parse(data) {
        assert_eq!(StsPolicy::parse(policy.to_string().as_bytes()).as_ref(), Ok(&policy));
        for host in policy.hosts() {
            let host = host.replace("*.", "one.");
            assert!(policy.names(&host), "a policy names its own hosts");
        }
    }
    let _ = read_record(data.split(|c| *c == b'\n'));
}
