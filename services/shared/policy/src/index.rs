//! Which rules are about a message: rules as bits, one row for each region, country, channel and so on, which are anded.
//!
//! A word of a row stands for 64 rules, so that the cost of a question hardly grows with the number of rules; what is left
//! after anding are the rules in scope, and only those are looked at.

use std::collections::BTreeMap;

use heliograph_domain::{
    region::{Country, CountrySet},
    resources::MessageClass,
};

use crate::{
    Direction,
    scope::{Places, Range, Spot},
};

const DIRECTIONS: [Direction; 2] = [Direction::Inbound, Direction::Outbound];

/// The index. A rule is known by its place in the policy.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    /// Words in a row.
    width: usize,
    /// By country, in the order of the code.
    countries: Vec<u64>,
    /// By region, for customers whose country is unknown.
    unknown: Vec<u64>,
    /// By region.
    regions: Vec<u64>,
    /// By channel, in the order of the policy's table, and last any other and none.
    channels: Vec<u64>,
    /// The row of channels the policy does not name.
    other: usize,
    /// By direction and class.
    kinds: Vec<u64>,
    /// As `kinds`, only rules that can take a channel away.
    narrowing: Vec<u64>,
    /// Rules that name numbers, which no row can tell: they are asked one by one.
    numbered: Vec<u64>,
    /// What those name.
    numbers: BTreeMap<usize, Places>,
}

/// What is to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// Every rule in scope.
    All,
    /// Those that can take a channel away.
    Narrowing,
}

impl Index {
    /// Builds the index of rules, each with whether it can take a channel away. `regions` are the countries of each region,
    /// `channels` how many the policy names, and `channel` finds the place of one.
    pub(crate) fn build<'a>(
        rules: impl ExactSizeIterator<Item = (&'a Range, bool)>,
        regions: &[CountrySet],
        channels: usize,
        channel: impl Fn(&str) -> Option<usize>,
    ) -> Self {
        let width = rules.len().div_ceil(64);
        let rows = |count: usize| vec![0; count * width];
        let mut index = Self {
            width,
            countries: rows(Country::COUNT),
            unknown: rows(regions.len()),
            regions: rows(regions.len()),
            channels: rows(channels + 1),
            other: channels,
            kinds: rows(DIRECTIONS.len() * MessageClass::ALL.len()),
            narrowing: rows(DIRECTIONS.len() * MessageClass::ALL.len()),
            numbered: rows(1),
            numbers: BTreeMap::new(),
        };
        for (rule, (range, narrows)) in rules.enumerate() {
            let (word, bit) = (rule / 64, 1_u64 << (rule % 64));
            let set = |rows: &mut [u64], row: usize| rows[row * width + word] |= bit;
            if let Some(places) = &range.places {
                for country in places.countries.iter() {
                    set(&mut index.countries, country.index());
                }
                for (region, around) in regions.iter().enumerate() {
                    if places.contain_all(around) {
                        set(&mut index.unknown, region);
                    }
                }
                if places.name_numbers() {
                    set(&mut index.numbered, 0);
                    index.numbers.insert(rule, places.clone());
                }
            } else {
                (0..Country::COUNT).for_each(|country| set(&mut index.countries, country));
                (0..regions.len()).for_each(|region| set(&mut index.unknown, region));
            }
            match &range.regions {
                Some(named) => named.iter().for_each(|region| set(&mut index.regions, *region)),
                None => (0..regions.len()).for_each(|region| set(&mut index.regions, region)),
            }
            match &range.channels {
                Some(named) => named
                    .iter()
                    .filter_map(|name| channel(name))
                    .for_each(|channel| set(&mut index.channels, channel)),
                None => (0..=channels).for_each(|channel| set(&mut index.channels, channel)),
            }
            for direction in DIRECTIONS {
                for class in MessageClass::ALL {
                    let within = range.direction.is_none_or(|way| way == direction)
                        && range.classes.as_ref().is_none_or(|classes| classes.contains(&class));
                    if within {
                        let row = kind(direction, class);
                        set(&mut index.kinds, row);
                        if narrows {
                            set(&mut index.narrowing, row);
                        }
                    }
                }
            }
        }
        index
    }

    /// Calls `found` with each rule in scope, in their order. `channel` is the place of the message's channel.
    pub(crate) fn each(
        &self,
        which: Which,
        spot: &Spot<'_>,
        channel: Option<usize>,
        mut found: impl FnMut(usize),
    ) {
        let [kind, region, country] = self.rows(which, spot);
        let channel = self.row(&self.channels, channel.unwrap_or(self.other));
        for word in 0..self.width {
            let here = kind[word] & region[word] & channel[word];
            let mut bits = here & (country[word] | self.numbered[word]);
            while bits != 0 {
                let bit = bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let (rule, told) = (word * 64 + bit, self.numbered[word] >> bit & 1 == 0);
                if told || self.numbers.get(&rule).is_some_and(|places| places.contain(spot)) {
                    found(rule);
                }
            }
        }
    }

    /// Whether any rule may be in scope on some channel.
    pub(crate) fn any(&self, which: Which, spot: &Spot<'_>) -> bool {
        let [kind, region, country] = self.rows(which, spot);
        (0..self.width).any(|word| kind[word] & region[word] & (country[word] | self.numbered[word]) != 0)
    }

    /// Whether numbers count.
    pub(crate) fn asks_for_numbers(&self) -> bool {
        !self.numbers.is_empty()
    }

    /// The rows of a message's kind, region and country.
    fn rows(&self, which: Which, spot: &Spot<'_>) -> [&[u64]; 3] {
        let kinds = if which == Which::All { &self.kinds } else { &self.narrowing };
        let country = match spot.country {
            Some(country) => self.row(&self.countries, country.index()),
            None => self.row(&self.unknown, spot.region),
        };
        [self.row(kinds, kind(spot.direction, spot.class)), self.row(&self.regions, spot.region), country]
    }

    fn row<'a>(&self, rows: &'a [u64], row: usize) -> &'a [u64] {
        &rows[row * self.width..(row + 1) * self.width]
    }
}

fn kind(direction: Direction, class: MessageClass) -> usize {
    let way = match direction {
        Direction::Inbound => 0,
        Direction::Outbound => MessageClass::ALL.len(),
    };
    way + class as usize
}
