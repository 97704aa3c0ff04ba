//! A large pool's configuration on its way through the log: ten thousand agents are more than a message holds, and much
//! alike.

use std::io::{Read as _, Write as _};

use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use heliograph_proto::v1::{Configuration, RoutingEntry, routing_entry::Kind};

/// What is longer goes packed, in bytes.
const PLAIN: usize = 64 * 1_024;
/// What is longer when unpacked is none of ours, in bytes.
const MOST: u64 = 512 * 1_024 * 1_024;

/// The configuration as it is appended.
pub(super) fn pack(mut configuration: Configuration) -> Configuration {
    if configuration.json.len() > PLAIN {
        let mut packer = DeflateEncoder::new(Vec::new(), Compression::default());
        packer.write_all(configuration.json.as_bytes()).expect("memory takes everything");
        configuration.deflated = packer.finish().expect("memory takes everything").into();
        configuration.json = String::new();
    }
    configuration
}

/// Unpacks what an entry carries, in its place.
pub(super) fn unpack(entry: &mut RoutingEntry) -> Result<(), std::io::Error> {
    let Some(Kind::Configuration(configuration)) = &mut entry.kind else { return Ok(()) };
    if configuration.deflated.is_empty() {
        return Ok(());
    }
    let packed = std::mem::take(&mut configuration.deflated);
    DeflateDecoder::new(&packed[..]).take(MOST).read_to_string(&mut configuration.json)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn configuration(agents: usize) -> Configuration {
        let json = (0..agents).map(|agent| format!("{{\"agent-{agent}\":{{\"skills\":{{\"french\":7}}}}}}"));
        Configuration { version: 7, json: json.collect(), ..Configuration::default() }
    }

    #[test]
    fn what_is_large_goes_small_and_comes_back_as_it_was() {
        for (agents, packed) in [(0, false), (10, false), (20_000, true)] {
            let before = configuration(agents);
            let appended = pack(before.clone());
            assert_eq!(!appended.deflated.is_empty(), packed);
            assert!(appended.json.len() + appended.deflated.len() < 200_000);
            let mut entry =
                RoutingEntry { kind: Some(Kind::Configuration(appended)), ..RoutingEntry::default() };
            unpack(&mut entry).unwrap();
            assert_eq!(entry.kind, Some(Kind::Configuration(before)));
        }
    }

    #[test]
    fn what_cannot_be_unpacked_is_said() {
        let broken = Configuration { deflated: vec![7; 30].into(), ..Configuration::default() };
        let mut entry = RoutingEntry { kind: Some(Kind::Configuration(broken)), ..RoutingEntry::default() };
        assert!(unpack(&mut entry).is_err());
    }
}
