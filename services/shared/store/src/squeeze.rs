//! Long values are compressed, so that they fit into a broker's message (1 MB unless it is told otherwise).
//!
//! A compressed value begins with a byte with which no JSON begins, so short values and those that older releases
//! wrote stand beside it as they are.

use std::borrow::Cow;
use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

/// Values up to this many bytes are left alone: people read them with the broker's own tools.
const PLAIN: usize = 64 * 1024;
/// The first byte of a deflated value.
const DEFLATED: u8 = 0x01;
/// No value grows beyond this when it is read: what claims to is refused rather than believed.
const LONGEST: u64 = 64 * 1024 * 1024;

/// `json` as it is stored.
pub(crate) fn pack(json: Vec<u8>) -> Vec<u8> {
    if json.len() <= PLAIN {
        return json;
    }
    let mut encoder = DeflateEncoder::new(vec![DEFLATED], Compression::default());
    encoder.write_all(&json).and_then(|()| encoder.finish()).expect("memory takes every write")
}

/// The JSON of a stored value.
pub(crate) fn unpack(stored: &[u8]) -> io::Result<Cow<'_, [u8]>> {
    let Some((&DEFLATED, deflated)) = stored.split_first() else { return Ok(Cow::Borrowed(stored)) };
    let mut json = Vec::new();
    let read = DeflateDecoder::new(deflated).take(LONGEST + 1).read_to_end(&mut json)?;
    if read as u64 > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the value is too long"));
    }
    Ok(Cow::Owned(json))
}

#[cfg(test)]
mod tests {
    use super::{DEFLATED, LONGEST, PLAIN, pack, unpack};

    #[test]
    fn short_values_stay_readable_and_long_ones_shrink() {
        let short = vec![b'1'; PLAIN];
        assert_eq!(pack(short.clone()), short);
        let long = b"[1,2,3] ".repeat(PLAIN);
        let packed = pack(long.clone());
        assert!(packed.len() < long.len() / 10, "{}", packed.len());
        assert_eq!(&*unpack(&packed).expect("it was packed here"), &*long);
        assert_eq!(&*unpack(b"{}").expect("it is plain"), b"{}");
    }

    #[test]
    fn what_is_broken_or_swells_is_refused() {
        assert!(unpack(&[DEFLATED, 0xFF, 0xFF]).is_err());
        let bomb = pack(vec![b' '; usize::try_from(LONGEST).expect("64 bit") + 2]);
        assert!(bomb.len() < 1024 * 1024);
        assert!(unpack(&bomb).is_err());
    }
}
