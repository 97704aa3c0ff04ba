//! A copy of the broker's that has not got yet what the leader has.

use std::time::Duration;

use heliograph_fabric::{Ground, LogError, RangeReader, Stream};

/// How long one is waited for: so often, so long.
const TIMES: u32 = 100;
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// How often it was waited for.
#[derive(Debug, Default)]
pub(super) struct LateCopy {
    waited: u32,
}

impl LateCopy {
    /// Looks a little later for what stands behind that which `range` has reached; false when that was done often enough.
    pub(super) async fn read_on<G: Ground>(
        &mut self,
        ground: &G,
        stream: Stream,
        filter: &str,
        range: &mut RangeReader<G::Tail>,
    ) -> Result<bool, LogError> {
        if self.waited == TIMES {
            return Ok(false);
        }
        self.waited += 1;
        tokio::time::sleep(LOOK_AGAIN).await;
        *range = RangeReader::open(ground, stream, [filter], range.reached()).await?;
        Ok(true)
    }
}
