//! A map that costs the same however much is in it, and still has one order for all replicas.
#![allow(clippy::disallowed_types, reason = "the one place with a HashMap, whose order does not leave it")]

use std::{
    borrow::Borrow,
    collections::{BTreeMap, HashMap},
    fmt,
    hash::Hash,
    marker::PhantomData,
    ops::Index,
};

use foldhash::fast::FixedState;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};

/// Keys are looked up by hash and listed in their own order; the order of the hashes is never seen. They are names and
/// derived ids, which nobody outside chooses, so that a fast hash will do.
#[derive(Clone, Debug)]
pub(crate) struct Table<K, V> {
    entries: HashMap<K, V, FixedState>,
}

impl<K: Ord + Hash, V> Table<K, V> {
    pub(crate) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entries.get(key)
    }

    pub(crate) fn get_mut<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.entries.get_mut(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.entries.insert(key, value);
    }

    pub(crate) fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.entries.remove(key)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The value of `key`, made when there is none.
    pub(crate) fn or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.entries.entry(key).or_default()
    }

    /// Everything, in order of keys. Sorts: for snapshots and rebuilding, not for every entry.
    pub(crate) fn sorted(&self) -> BTreeMap<&K, &V> {
        self.entries.iter().collect()
    }
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { entries: HashMap::default() }
    }
}

impl<K: Eq + Hash, V: PartialEq> PartialEq for Table<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl<K: Eq + Hash, V: Eq> Eq for Table<K, V> {}

impl<K: Eq + Hash + Borrow<Q>, Q: Eq + Hash + ?Sized, V> Index<&Q> for Table<K, V> {
    type Output = V;

    fn index(&self, key: &Q) -> &V {
        &self.entries[key]
    }
}

impl<K: Ord + Hash + Serialize, V: Serialize> Serialize for Table<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.sorted().serialize(serializer)
    }
}

impl<'de, K: Ord + Hash + Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for Table<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Filling(PhantomData))
    }
}

/// Makes room once for everything that is said to come: growing step by step moves large values again and again.
struct Filling<K, V>(PhantomData<(K, V)>);

/// What is said to come is believed up to here.
const BELIEVED: usize = 1 << 18;

impl<'de, K: Ord + Hash + Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for Filling<K, V> {
    type Value = Table<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let room = map.size_hint().unwrap_or(0).min(BELIEVED);
        let mut entries = HashMap::with_capacity_and_hasher(room, FixedState::default());
        while let Some((key, value)) = map.next_entry()? {
            entries.insert(key, value);
        }
        Ok(Table { entries })
    }
}
