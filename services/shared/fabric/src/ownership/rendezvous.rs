//! Which member should hold which partition. Pure: every member computes the same from the same list.

use std::collections::BTreeMap;

/// Spreads `partitions` over `members`: highest random weight, with no member above its even share rounded up.
///
/// The order of `members` does not matter; names must differ. Empty without members.
pub fn assign<'a>(group: &str, partitions: u16, members: &[&'a str]) -> BTreeMap<u16, &'a str> {
    let Some(count) = std::num::NonZeroUsize::new(members.len()) else {
        return BTreeMap::new();
    };
    let cap = usize::from(partitions).div_ceil(count.get());
    let mut load: BTreeMap<&str, usize> = members.iter().map(|member| (*member, 0)).collect();
    let mut assigned = BTreeMap::new();
    for partition in 0..partitions {
        let free = members.iter().filter(|member| load[**member] < cap);
        let best = free.max_by_key(|member| (weight(group, partition, member), **member));
        let best = *best.expect("shares rounded up hold all partitions");
        *load.get_mut(best).expect("a member") += 1;
        assigned.insert(partition, best);
    }
    assigned
}

/// FNV-1a with a final mix, so that names that differ in one character weigh differently in every bit.
fn weight(group: &str, partition: u16, member: &str) -> u64 {
    let partition = partition.to_be_bytes();
    let parts = [group.as_bytes(), &[0], &partition, &[0], member.as_bytes()];
    let hash = parts.into_iter().flatten().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::assign;

    fn names() -> impl Strategy<Value = Vec<String>> {
        proptest::collection::btree_set("[a-z]{1,6}", 1..9).prop_map(|set| set.into_iter().collect())
    }

    proptest! {
        #[test]
        fn all_is_assigned_evenly_and_alike_for_everyone(names in names(), partitions in 1_u16..65, turn in 0_usize..9) {
            let members: Vec<&str> = names.iter().map(String::as_str).collect();
            let assigned = assign("g", partitions, &members);
            prop_assert_eq!(assigned.len(), usize::from(partitions));
            let cap = usize::from(partitions).div_ceil(members.len());
            for member in &members {
                prop_assert!(assigned.values().filter(|holder| *holder == member).count() <= cap);
            }
            let mut turned = members.clone();
            turned.rotate_left(turn % members.len());
            prop_assert_eq!(assign("g", partitions, &turned), assigned);
        }

        #[test]
        fn a_member_that_joins_gets_a_share_and_most_stays(names in names()) {
            let members: Vec<&str> = names.iter().map(String::as_str).collect();
            let before = assign("g", 64, &members);
            let with: Vec<&str> = members.iter().copied().chain(["JOINER"]).collect();
            let after = assign("g", 64, &with);
            prop_assert!(after.values().any(|holder| *holder == "JOINER"));
            // Stable: what moves is the joiner's share and what its arrival pushes below the new cap.
            let moved = (0..64).filter(|at| before[at] != after[at] && after[at] != "JOINER").count();
            prop_assert!(moved <= 32, "{moved} partitions moved between old members");
        }
    }

    #[test]
    fn groups_are_spread_differently() {
        let spread: BTreeSet<Vec<&str>> = ["router.inbound", "router.routing", "egress.sms", "egress.wechat"]
            .iter()
            .map(|group| assign(group, 16, &["a", "b"]).into_values().collect())
            .collect();
        assert!(spread.len() > 1);
        assert!(assign("g", 16, &[]).is_empty());
    }
}
