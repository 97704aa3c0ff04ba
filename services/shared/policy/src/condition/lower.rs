//! From the syntax tree of CEL to a typed tree, refusing what has no type.

mod calls;
mod operators;

use cel::{
    IdedExpr,
    common::ast::{CallExpr, Expr, LiteralValue},
};

use super::{
    ConditionError,
    schema::{Read, Values, Variable, World},
    tree::{Int, MOST_BOUND, Map, Span, Test, Text, Texts, When},
};

/// How deep a tree may be. Long sums make deep trees.
const DEEPEST: usize = 64;

/// A typed expression.
pub(super) enum Typed<W: World> {
    Bool(Test<W>),
    Int(Int<W>),
    Float(f64),
    Text(Text<W>, Origin),
    Texts(Texts<W>, Option<usize>),
    Ints(Vec<Int<W>>),
    Map(Map<W>, &'static str),
    When(When<W>),
    Span(Span<W>),
}

/// What a string comes from, so that what it is compared with can be checked.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    Variable(&'static str, Values),
    Literal(String),
    Other,
}

impl<W: World> Typed<W> {
    /// Its type, as CEL calls it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "double",
            Self::Text(..) => "string",
            Self::Texts(..) => "list of strings",
            Self::Ints(_) => "list of ints",
            Self::Map(..) => "map",
            Self::When(_) => "timestamp",
            Self::Span(_) => "duration",
        }
    }
}

/// Lowers a whole condition. Returns the variables that it reads as well.
pub(super) fn condition<W: World>(
    expression: &IdedExpr,
) -> Result<(Test<W>, Vec<&'static str>), ConditionError> {
    let mut lowering = Lowering { bound: Vec::new(), depth: 0, read: Vec::new() };
    match lowering.lower(expression)? {
        Typed::Bool(test) => Ok((test, lowering.read)),
        other => Err(ConditionError::new(format!("a condition is a bool, and this is a {}", other.name()))),
    }
}

/// Where lowering stands.
pub(super) struct Lowering {
    /// Variables of `exists` and `all`, the outermost first.
    bound: Vec<String>,
    depth: usize,
    /// Variables that were met.
    read: Vec<&'static str>,
}

impl Lowering {
    pub(super) fn lower<W: World>(&mut self, expression: &IdedExpr) -> Result<Typed<W>, ConditionError> {
        if self.depth == DEEPEST {
            return Err(ConditionError::new(format!("nested deeper than {DEEPEST}")));
        }
        self.depth += 1;
        let lowered = match &expression.expr {
            Expr::Literal(literal) => value(literal),
            Expr::Ident(_) | Expr::Select(_) => self.variable(&expression.expr),
            Expr::List(list) => self.list(&list.elements),
            Expr::Call(call) => self.call(call),
            Expr::Map(_) | Expr::Struct(_) => {
                Err(ConditionError::new("maps and messages cannot be written in a condition"))
            }
            Expr::Comprehension(_) | Expr::Unspecified => Err(ConditionError::new("this is no condition")),
        };
        self.depth -= 1;
        lowered
    }

    /// A variable, or an attribute of one that is a map.
    fn variable<W: World>(&mut self, expression: &Expr) -> Result<Typed<W>, ConditionError> {
        let Some(segments) = path(expression) else {
            return match expression {
                Expr::Select(select) => {
                    let owner = self.lower::<W>(&select.operand)?;
                    Err(ConditionError::new(format!("a {} has no field {}", owner.name(), select.field)))
                }
                _ => Err(ConditionError::new("this is no condition")),
            };
        };
        if let [name] = segments[..]
            && let Some(slot) = self.bound.iter().rposition(|bound| bound == name)
        {
            return Ok(Typed::Text(Text::Bound(slot), Origin::Other));
        }
        if self.bound.iter().any(|bound| bound == segments[0]) {
            return Err(ConditionError::new(format!("{} is a string and has no fields", segments[0])));
        }
        let name = segments.join(".");
        if let Some(variable) = Variable::<W>::named(&name) {
            if !self.read.contains(&variable.name) {
                self.read.push(variable.name);
            }
            return Ok(read(variable));
        }
        let (field, owner) = segments.split_last().expect("a name has at least one part");
        match Variable::<W>::named(&owner.join(".")) {
            Some(owner) => match read(owner) {
                Typed::Map(map, _) => {
                    self.read.push(owner.name);
                    Ok(Typed::Text(Text::At(map, Box::new(Text::Is((*field).into()))), Origin::Other))
                }
                other => {
                    let (owner, kind) = (owner.name, other.name());
                    Err(ConditionError::new(format!("{owner} is a {kind} and has no field {field}")))
                }
            },
            None => Err(Variable::<W>::unknown(&name)),
        }
    }

    fn list<W: World>(&mut self, elements: &[IdedExpr]) -> Result<Typed<W>, ConditionError> {
        let mixed = || ConditionError::new("a list holds strings only, or ints only");
        let mut texts = Vec::new();
        let mut ints = Vec::new();
        for element in elements {
            match self.lower::<W>(element)? {
                Typed::Text(text, _) if ints.is_empty() => texts.push(text),
                Typed::Int(int) if texts.is_empty() => ints.push(int),
                _ => return Err(mixed()),
            }
        }
        if !ints.is_empty() {
            return Ok(Typed::Ints(ints));
        }
        let count = texts.len();
        let literals = texts.iter().map(|text| match text {
            Text::Is(literal) => Some(literal.clone()),
            _ => None,
        });
        let list = match literals.collect::<Option<Vec<_>>>() {
            Some(mut literals) => {
                // So that what is looked for is found quickly. What order they have cannot be told by any condition.
                literals.sort_unstable();
                Texts::Literals(literals)
            }
            None => Texts::Are(texts),
        };
        Ok(Typed::Texts(list, Some(count)))
    }

    pub(super) fn test<W: World>(
        &mut self,
        expression: &IdedExpr,
        what: &str,
    ) -> Result<Test<W>, ConditionError> {
        match self.lower(expression)? {
            Typed::Bool(test) => Ok(test),
            other => Err(ConditionError::new(format!("{what} takes a bool, and this is a {}", other.name()))),
        }
    }

    fn call<W: World>(&mut self, call: &CallExpr) -> Result<Typed<W>, ConditionError> {
        match &call.target {
            Some(target) => self.method(target, &call.func_name, &call.args),
            None => match self.operator(call)? {
                Some(typed) => Ok(typed),
                None => self.function(&call.func_name, &call.args),
            },
        }
    }

    /// Lowers what a variable of `exists` or `all` is known in.
    pub(super) fn within<T>(
        &mut self,
        name: &str,
        lower: impl FnOnce(&mut Self, usize) -> Result<T, ConditionError>,
    ) -> Result<T, ConditionError> {
        if self.bound.len() == MOST_BOUND {
            return Err(ConditionError::new(format!("exists and all nested deeper than {MOST_BOUND}")));
        }
        self.bound.push(name.to_owned());
        let lowered = lower(self, self.bound.len() - 1);
        self.bound.pop();
        lowered
    }
}

fn value<W: World>(literal: &LiteralValue) -> Result<Typed<W>, ConditionError> {
    Ok(match literal {
        LiteralValue::Boolean(value) => Typed::Bool(Test::Is(*value.inner())),
        LiteralValue::Int(value) => Typed::Int(Int::Is(*value.inner())),
        LiteralValue::Double(value) => Typed::Float(*value.inner()),
        LiteralValue::String(value) => {
            Typed::Text(Text::Is(value.inner().into()), Origin::Literal(value.inner().to_owned()))
        }
        LiteralValue::UInt(value) => {
            let number = *value.inner();
            let message = format!("{number}u is an unsigned number; conditions have signed ones only");
            return Err(ConditionError::meaning(message, Some(number.to_string())));
        }
        LiteralValue::Null => {
            return Err(ConditionError::new(
                "nothing is ever null here; has(…) tells whether something is known",
            ));
        }
        LiteralValue::Bytes(_) => return Err(ConditionError::new("conditions have no bytes")),
    })
}

fn read<W: World>(variable: &'static Variable<W>) -> Typed<W> {
    match variable.read {
        Read::Bool(read) => Typed::Bool(Test::Read(read)),
        Read::Int(read) => Typed::Int(Int::Read(read)),
        Read::Text(read) => Typed::Text(Text::Read(read), Origin::Variable(variable.name, variable.values)),
        Read::Moment(read) => Typed::When(When::Read(read)),
        Read::Texts(read) => Typed::Texts(Texts::Read(read), None),
        Read::Map(read) => Typed::Map(read, variable.name),
    }
}

/// The parts of a dotted name.
fn path(expression: &Expr) -> Option<Vec<&str>> {
    let mut segments = Vec::new();
    let mut expression = expression;
    loop {
        match expression {
            Expr::Ident(name) => {
                segments.push(name.as_str());
                segments.reverse();
                return Some(segments);
            }
            Expr::Select(select) if !select.test => {
                segments.push(select.field.as_str());
                expression = &select.operand.expr;
            }
            _ => return None,
        }
    }
}
