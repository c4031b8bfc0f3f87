//! Strings that end in NUL, and numbers in network order.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Cuts the next string out of `data`. The NUL of the last one may be missing;
/// `None` if nothing is left.
pub(crate) fn take(data: &mut Bytes) -> Option<Bytes> {
    if data.is_empty() {
        return None;
    }
    let end = data.iter().position(|c| *c == 0).unwrap_or(data.len());
    let string = data.split_to(end);
    if data.has_remaining() {
        data.advance(1);
    }
    Some(string)
}

/// Cuts a number of four octets out of `data`.
pub(crate) fn take_number(data: &mut Bytes) -> Option<u32> {
    data.try_get_u32().ok()
}

/// Appends a string and its NUL. A NUL within would end it early, so it goes.
pub(crate) fn put(out: &mut BytesMut, string: &[u8]) {
    if string.contains(&0) {
        out.extend(string.iter().filter(|c| **c != 0));
    } else {
        out.put_slice(string);
    }
    out.put_u8(0);
}

/// The strings up to the end.
pub(crate) fn all(mut data: Bytes) -> Vec<Bytes> {
    std::iter::from_fn(|| take(&mut data)).collect()
}
