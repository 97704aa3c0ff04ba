//! Operators.

use cel::{
    IdedExpr,
    common::ast::{CallExpr, operators},
};

use super::{Lowering, Origin, Typed};
use crate::condition::{
    ConditionError,
    schema::World,
    tree::{Arithmetic, Choice, Float, Int, Order, Span, Test, Text, Texts, When},
};

impl Lowering {
    /// An operator's call; none if it is a function's.
    pub(super) fn operator<W: World>(&mut self, call: &CallExpr) -> Result<Option<Typed<W>>, ConditionError> {
        let arithmetic = |name| {
            Some(match name {
                operators::ADD => (Arithmetic::Plus, "+"),
                operators::SUBSTRACT => (Arithmetic::Minus, "-"),
                operators::MULTIPLY => (Arithmetic::Times, "*"),
                operators::DIVIDE => (Arithmetic::Over, "/"),
                operators::MODULO => (Arithmetic::Rest, "%"),
                _ => return None,
            })
        };
        let order = |name| {
            Some(match name {
                operators::EQUALS => (Order::Same, "=="),
                operators::NOT_EQUALS => (Order::Other, "!="),
                operators::LESS => (Order::Less, "<"),
                operators::LESS_EQUALS => (Order::LessOrSame, "<="),
                operators::GREATER => (Order::More, ">"),
                operators::GREATER_EQUALS => (Order::MoreOrSame, ">="),
                _ => return None,
            })
        };
        let name = call.func_name.as_str();
        Ok(Some(match (name, &call.args[..]) {
            (operators::LOGICAL_AND, args) => Typed::Bool(Test::All(self.tests(args, "&&")?)),
            (operators::LOGICAL_OR, args) => Typed::Bool(Test::Any(self.tests(args, "||")?)),
            (operators::LOGICAL_NOT, [test]) => Typed::Bool(Test::Not(Box::new(self.test(test, "!")?))),
            (operators::CONDITIONAL, [test, yes, no]) => {
                let test = self.test(test, "? :")?;
                choose(test, self.lower(yes)?, self.lower(no)?)?
            }
            (operators::NEGATE, [number]) => match self.lower(number)? {
                Typed::Int(int) => Typed::Int(Int::Negative(Box::new(int))),
                Typed::Float(float) => Typed::Float(-float),
                other => {
                    return Err(ConditionError::new(format!("- cannot be put before a {}", other.name())));
                }
            },
            (operators::IN, [item, list]) => {
                let item = self.lower(item)?;
                within(item, self.lower(list)?)?
            }
            (operators::INDEX, [map, key]) => {
                let map = self.lower::<W>(map)?;
                at(&map, self.lower(key)?)?
            }
            (name, [one, other]) => {
                if let Some((order, sign)) = order(name) {
                    let one = self.lower(one)?;
                    Typed::Bool(compare(order, sign, one, self.lower(other)?)?)
                } else if let Some((arithmetic, sign)) = arithmetic(name) {
                    let one = self.lower(one)?;
                    compute(arithmetic, sign, one, self.lower(other)?)?
                } else {
                    return Ok(None);
                }
            }
            _ => return Ok(None),
        }))
    }

    fn tests<W: World>(&mut self, args: &[IdedExpr], sign: &str) -> Result<Vec<Test<W>>, ConditionError> {
        let mut tests = Vec::with_capacity(args.len());
        for arg in args {
            // `a && b && c` is one list, however the parser nests it.
            match (self.test(arg, sign)?, sign) {
                (Test::All(more), "&&") | (Test::Any(more), "||") => tests.extend(more),
                (test, _) => tests.push(test),
            }
        }
        Ok(tests)
    }
}

fn choose<W: World>(test: Test<W>, yes: Typed<W>, no: Typed<W>) -> Result<Typed<W>, ConditionError> {
    Ok(match (yes, no) {
        (Typed::Bool(yes), Typed::Bool(no)) => Typed::Bool(Test::Choose(Box::new(Choice { test, yes, no }))),
        (Typed::Int(yes), Typed::Int(no)) => Typed::Int(Int::Choose(Box::new(Choice { test, yes, no }))),
        (Typed::Text(yes, _), Typed::Text(no, _)) => {
            Typed::Text(Text::Choose(Box::new(Choice { test, yes, no })), Origin::Other)
        }
        (Typed::When(yes), Typed::When(no)) => Typed::When(When::Choose(Box::new(Choice { test, yes, no }))),
        (Typed::Span(yes), Typed::Span(no)) => Typed::Span(Span::Choose(Box::new(Choice { test, yes, no }))),
        (yes, no) => {
            let message = format!(
                "? : chooses between two values of one type, not a {} and a {}",
                yes.name(),
                no.name()
            );
            return Err(ConditionError::new(message));
        }
    })
}

fn compare<W: World>(
    order: Order,
    sign: &str,
    one: Typed<W>,
    other: Typed<W>,
) -> Result<Test<W>, ConditionError> {
    let ordered = !matches!(order, Order::Same | Order::Other);
    Ok(match (one, other) {
        (Typed::Bool(one), Typed::Bool(other)) => Test::Bools(order, Box::new((one, other))),
        (Typed::Int(one), Typed::Int(other)) => Test::Ints(order, Box::new((one, other))),
        (Typed::Int(one), Typed::Float(other)) => {
            Test::Floats(order, Box::new((Float::Int(one), Float::Is(other))))
        }
        (Typed::Float(one), Typed::Int(other)) => {
            Test::Floats(order, Box::new((Float::Is(one), Float::Int(other))))
        }
        (Typed::Float(one), Typed::Float(other)) => {
            Test::Floats(order, Box::new((Float::Is(one), Float::Is(other))))
        }
        (Typed::Text(one, origin), Typed::Text(other, from)) => {
            if !ordered {
                check(&origin, &from)?;
                check(&from, &origin)?;
            }
            Test::Texts(order, Box::new((one, other)))
        }
        (Typed::When(one), Typed::When(other)) => Test::Moments(order, Box::new((one, other))),
        (Typed::Span(one), Typed::Span(other)) => Test::Spans(order, Box::new((one, other))),
        (Typed::When(_), Typed::Text(_, Origin::Literal(text)))
        | (Typed::Text(_, Origin::Literal(text)), Typed::When(_)) => {
            return Err(untyped(sign, "timestamp", &text));
        }
        (Typed::Span(_), Typed::Text(_, Origin::Literal(text)))
        | (Typed::Text(_, Origin::Literal(text)), Typed::Span(_)) => {
            return Err(untyped(sign, "duration", &text));
        }
        (one, other) => {
            let message = format!("{sign} cannot compare a {} with a {}", one.name(), other.name());
            return Err(ConditionError::new(message));
        }
    })
}

fn untyped(sign: &str, kind: &str, text: &str) -> ConditionError {
    let message = format!("{sign} cannot compare a {kind} with a string");
    ConditionError::meaning(message, Some(format!("{kind}({text:?})")))
}

/// Whether a variable can be what it is compared with at all.
fn check(variable: &Origin, literal: &Origin) -> Result<(), ConditionError> {
    match (variable, literal) {
        (Origin::Variable(name, values), Origin::Literal(literal)) => values.check(name, literal),
        _ => Ok(()),
    }
}

fn compute<W: World>(
    arithmetic: Arithmetic,
    sign: &str,
    one: Typed<W>,
    other: Typed<W>,
) -> Result<Typed<W>, ConditionError> {
    Ok(match (arithmetic, one, other) {
        (_, Typed::Int(one), Typed::Int(other)) => Typed::Int(Int::Sum(arithmetic, Box::new((one, other)))),
        (Arithmetic::Plus, Typed::When(when), Typed::Span(span))
        | (Arithmetic::Plus, Typed::Span(span), Typed::When(when)) => {
            Typed::When(When::Later(Box::new((when, span))))
        }
        (Arithmetic::Minus, Typed::When(when), Typed::Span(span)) => {
            Typed::When(When::Earlier(Box::new((when, span))))
        }
        (Arithmetic::Minus, Typed::When(one), Typed::When(other)) => {
            Typed::Span(Span::Between(Box::new((one, other))))
        }
        (Arithmetic::Plus, Typed::Span(one), Typed::Span(other)) => {
            Typed::Span(Span::Plus(Box::new((one, other))))
        }
        (Arithmetic::Minus, Typed::Span(one), Typed::Span(other)) => {
            Typed::Span(Span::Minus(Box::new((one, other))))
        }
        (_, one, other) => {
            let message = format!("{sign} cannot take a {} and a {}", one.name(), other.name());
            return Err(ConditionError::new(message));
        }
    })
}

fn within<W: World>(item: Typed<W>, list: Typed<W>) -> Result<Typed<W>, ConditionError> {
    Ok(Typed::Bool(match (item, list) {
        (Typed::Text(text, origin), Typed::Texts(texts, _)) => {
            match &texts {
                Texts::Literals(literals) => {
                    for literal in literals {
                        check(&origin, &Origin::Literal(literal.to_string()))?;
                    }
                }
                Texts::Are(written) => {
                    for text in written {
                        if let Text::Is(literal) = text {
                            check(&origin, &Origin::Literal(literal.to_string()))?;
                        }
                    }
                }
                Texts::Read(_) => {}
            }
            Test::TextIn(Box::new((text, texts)))
        }
        (Typed::Int(int), Typed::Ints(ints)) => Test::IntIn(Box::new((int, ints))),
        // An empty list has no type of its own.
        (Typed::Int(_), Typed::Texts(_, Some(0))) => Test::Is(false),
        (Typed::Text(key, _), Typed::Map(map, _)) => Test::KeyIn(Box::new(key), map),
        (Typed::Text(_, origin), Typed::Text(..)) => {
            let meant = match origin {
                Origin::Literal(text) => Some(format!("….contains({text:?})")),
                _ => None,
            };
            return Err(ConditionError::meaning("in looks into lists and maps, not into a string", meant));
        }
        (item, list) => {
            let message = format!("in cannot look for a {} in a {}", item.name(), list.name());
            return Err(ConditionError::new(message));
        }
    }))
}

fn at<W: World>(map: &Typed<W>, key: Typed<W>) -> Result<Typed<W>, ConditionError> {
    match (map, key) {
        (Typed::Map(map, _), Typed::Text(key, _)) => {
            Ok(Typed::Text(Text::At(*map, Box::new(key)), Origin::Other))
        }
        (Typed::Map(_, name), key) => {
            Err(ConditionError::new(format!("{name} is looked up by a string, not by a {}", key.name())))
        }
        (other, _) => {
            Err(ConditionError::new(format!("[…] looks into maps, and this is a {}", other.name())))
        }
    }
}
