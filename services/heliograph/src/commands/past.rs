//! What a changed policy would have decided of real conversations, told before it is in force.

use heliograph_domain::region::Country;
use heliograph_policy::Direction;

use crate::{
    admin::{Admin, Planned, Replay, Turned},
    output,
};

/// What changed policies say of the newest conversations. That it cannot be told is said, and keeps nobody from applying.
pub(super) async fn foreseen(admin: &Admin, planned: &[Planned], conversations: usize) -> Vec<Replay> {
    if conversations == 0 {
        return Vec::new();
    }
    match admin.foresee(planned, conversations).await {
        Ok(replays) => replays,
        Err(error) => {
            output::note(&format!("what it would decide of real conversations cannot be told: {error}"));
            Vec::new()
        }
    }
}

/// Prints what a changed policy says of the tenant's newest conversations: all of it in a dry run, else a line.
pub(super) fn print(replays: &[Replay], whole: bool) -> anyhow::Result<()> {
    for replay in replays.iter().filter(|replay| replay.conversations > 0) {
        let told = format!(
            "{} of the last {} conversations of {} would have been decided differently",
            replay.turned_conversations, replay.conversations, replay.tenant
        );
        if !whole {
            let which = if replay.turned.is_empty() { "" } else { "; --dry-run says which" };
            output::note(&format!("{told}{which}"));
            continue;
        }
        if !replay.turned.is_empty() {
            let rows: Vec<[String; 7]> = replay.turned.iter().map(row).collect();
            let heading = ["CONVERSATION", "", "CUSTOMER", "COUNTRY", "CHANNEL", "CLASS", "VERDICT"];
            output::table(heading, &rows)?;
        }
        output::line(&told)?;
    }
    Ok(())
}

fn row(turned: &Turned) -> [String; 7] {
    let way = if turned.direction == Direction::Inbound { "from" } else { "to" };
    [
        turned.conversation.clone(),
        way.to_owned(),
        turned.customer.clone(),
        turned.country.map_or("?", Country::code).to_owned(),
        turned.channel.clone(),
        turned.class.as_str().to_owned(),
        format!("{} → {}, {}", turned.old.outcome, turned.new.outcome, turned.new.by),
    ]
}
