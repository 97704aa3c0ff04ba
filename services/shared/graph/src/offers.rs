//! What a question offers to tap, by what it does.

use heliograph_proto::v1::{Answer, Option as Offered, option::Action};

use crate::messaging::carried;

/// Options by what they do, each in the order it is shown.
#[derive(Debug, Default)]
pub struct Offers<'a> {
    /// Answers, each with what its button carries.
    pub answers: Vec<(&'a Offered, String)>,
    /// Links and numbers to call: what they are called, and where they lead.
    pub links: Vec<(&'a str, &'a str)>,
    /// The title of what asks for the customer's location.
    pub asks_location: Option<&'a str>,
}

impl<'a> Offers<'a> {
    /// Sorts options.
    pub fn of(options: impl IntoIterator<Item = &'a Offered>) -> Self {
        let mut offers = Self::default();
        for option in options {
            match &option.action {
                None => offers.answers.push((option, carried(&option.id, ""))),
                Some(Action::Answer(Answer { payload })) => {
                    offers.answers.push((option, carried(&option.id, payload)));
                }
                Some(Action::Url(to) | Action::Phone(to)) => offers.links.push((&option.title, to)),
                Some(Action::AskLocation(_)) => offers.asks_location = Some(&option.title),
            }
        }
        offers
    }

    /// Whether the customer's location is all it asks for.
    pub fn only_asks_location(&self) -> bool {
        self.answers.is_empty() && self.links.is_empty() && self.asks_location.is_some()
    }

    /// `body` with a line for everything that has no button: links but the first `shown`, and the location where more than
    /// that is asked for.
    pub fn below(&self, body: &str, shown: usize) -> String {
        let links = self.links.iter().skip(shown).map(|(title, to)| match *title {
            "" => (*to).to_owned(),
            title => format!("{title}: {to}"),
        });
        let asked = self.asks_location.filter(|_| !self.only_asks_location()).map(str::to_owned);
        lines([body.to_owned()].into_iter().chain(links).chain(asked))
    }
}

/// The lines that say something.
pub fn lines(lines: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut said = String::new();
    for line in lines {
        let line = line.as_ref();
        if !line.trim().is_empty() {
            if !said.is_empty() {
                said.push('\n');
            }
            said.push_str(line);
        }
    }
    said
}
