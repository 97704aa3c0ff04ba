//! Variables: their names, their types, and how they are read.

use std::{collections::BTreeMap, fmt::Debug};

use heliograph_domain::region::{Country, Expression};

use super::{ConditionError, nearest, time::Moment};

/// What conditions of one kind are about.
pub trait World: Debug + Clone + 'static {
    /// What variables are read from.
    type Scene<'a>: Debug + Copy;

    /// All variables.
    const VARIABLES: &'static [Variable<Self>];
}

/// A variable.
#[derive(Debug)]
pub struct Variable<W: World> {
    /// Its name, with the name of what it belongs to.
    pub name: &'static str,
    /// What it may be.
    pub values: Values,
    /// How it is read, and by that its type.
    pub read: Read<W>,
}

/// How a variable is read. None is unknown.
#[derive(Debug, Clone, Copy)]
pub enum Read<W: World> {
    /// true or false.
    Bool(for<'a> fn(&'a W::Scene<'a>) -> bool),
    /// A whole number.
    Int(for<'a> fn(&'a W::Scene<'a>) -> i64),
    /// A string, empty when nothing is known.
    Text(for<'a> fn(&'a W::Scene<'a>) -> &'a str),
    /// A point in time.
    Moment(for<'a> fn(&'a W::Scene<'a>) -> Option<Moment<'a>>),
    /// A list of strings.
    Texts(for<'a> fn(&'a W::Scene<'a>) -> &'a [&'a str]),
    /// Strings by name; none is an empty map.
    Map(for<'a> fn(&'a W::Scene<'a>) -> Option<&'a BTreeMap<String, String>>),
}

/// What a string variable may be, so that a comparison that can never hold is found when it is written.
#[derive(Debug, Clone, Copy)]
pub enum Values {
    /// Anything.
    Any,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// A country's code, or nothing.
    Country,
    /// A language without its region, such as `pt`, or nothing.
    Language,
    /// Text that was put in lower case.
    LowerCase,
}

impl Values {
    /// Checks what a variable is compared with.
    pub(super) fn check(self, name: &str, literal: &str) -> Result<(), ConditionError> {
        match self {
            Self::Any => Ok(()),
            Self::OneOf(known) if known.contains(&literal) => Ok(()),
            Self::OneOf(known) => {
                let listed: Vec<&str> = known.iter().copied().filter(|value| !value.is_empty()).collect();
                let message = format!("{name} is never {literal:?}; it is one of {}", listed.join(", "));
                Err(ConditionError::meaning(message, nearest(&literal.to_lowercase(), listed)))
            }
            Self::LowerCase => self.check_part(name, literal),
            Self::Language if literal.is_empty() || is_language(literal) => Ok(()),
            Self::Language => {
                let primary = literal.split(['-', '_']).next().unwrap_or_default().to_lowercase();
                let message =
                    format!("{name} is never {literal:?}; it is a language without its region, such as pt");
                Err(ConditionError::meaning(message, Some(primary).filter(|primary| is_language(primary))))
            }
            Self::Country if literal.is_empty() || literal.parse::<Country>().is_ok() => Ok(()),
            Self::Country => {
                let meant = Expression::parse(&[literal.to_owned()])
                    .err()
                    .and_then(|errors| {
                        errors.iter().find_map(|(_, error)| error.meant().map(ToString::to_string))
                    })
                    .filter(|meant| meant.parse::<Country>().is_ok());
                Err(ConditionError::meaning(
                    format!("{name} is never {literal:?}; it is a code such as BR"),
                    meant,
                ))
            }
        }
    }

    /// Checks what is looked for in a variable.
    pub(super) fn check_part(self, name: &str, literal: &str) -> Result<(), ConditionError> {
        let lower = literal.to_lowercase();
        if matches!(self, Self::LowerCase) && lower != literal {
            let message = format!("{name} is in lower case, and never has {literal:?}");
            return Err(ConditionError::meaning(message, Some(lower)));
        }
        Ok(())
    }
}

fn is_language(text: &str) -> bool {
    (2..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase())
}

impl<W: World> Variable<W> {
    /// The variable of this name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        W::VARIABLES.iter().find(|variable| variable.name == name)
    }

    /// Why a name cannot be used.
    pub(super) fn unknown(name: &str) -> ConditionError {
        let inside = format!("{name}.");
        let fields: Vec<&str> = W::VARIABLES
            .iter()
            .map(|variable| variable.name)
            .filter(|known| known.starts_with(&inside))
            .collect();
        if !fields.is_empty() {
            let message = format!("{name} is no value by itself; it has {}", fields.join(", "));
            return ConditionError::new(message);
        }
        // The last part is often right, and what it belongs to is not.
        let owned = |known: &&str| known.rsplit('.').next() == Some(name);
        let names = || W::VARIABLES.iter().map(|variable| variable.name);
        let meant = names().find(owned).or_else(|| nearest(name, names()));
        let Some((owner, field)) = name.split_once('.') else {
            return ConditionError::meaning(format!("there is no {name}"), meant);
        };
        let inside = format!("{owner}.");
        let fields: Vec<&str> = names().filter_map(|known| known.strip_prefix(&inside)).collect();
        if fields.is_empty() {
            let meant = meant.or_else(|| names().find(|known| known.rsplit('.').next() == Some(field)));
            return ConditionError::meaning(format!("there is no {name}"), meant);
        }
        let message = format!("there is no {name}; {owner} has {}", fields.join(", "));
        ConditionError::meaning(message, meant)
    }
}
