//! What fuzzing kept is played again.

use std::{fmt::Debug, fs, path::Path};

use heliograph_channel::{Account, Provider, Webhook};

use super::{Conformance, anything};

pub(super) fn check<C>(suite: &mut Conformance<C>, account: &Account<C::Settings>, folder: &Path)
where
    C: Webhook + Provider,
    C::Settings: Debug,
{
    let entries = fs::read_dir(folder).map(|entries| entries.filter_map(Result::ok));
    let mut paths: Vec<_> = entries.into_iter().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    suite.expect("corpus", !paths.is_empty(), || format!("there is nothing in {}", folder.display()));
    for path in paths {
        let about = format!("corpus {}", path.file_name().unwrap_or_default().display());
        match fs::read(&path) {
            Ok(data) => {
                let (channel, raw, sign) = (suite.channel.clone(), suite.raw.clone(), suite.sign.take());
                suite.guarded(&about, || {
                    anything::play(&*channel, account, &data, |request| {
                        if let Some(sign) = &sign {
                            sign(&raw, request);
                        }
                    });
                });
                suite.sign = sign;
                suite.checks += 1;
            }
            Err(error) => suite.fail(&about, format!("cannot be read: {error}")),
        }
    }
}
