//! One event in every form that a client may give it, and several as one body.

use ess_load::facts;
use ess_schema::Event;
use rand::prelude::*;

/// What a client calls a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A flat command.
    Command,
    /// A CloudEvent in JSON.
    CloudEvent,
    /// The predecessor's body.
    Untyped,
}

/// A request's body.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    pub(crate) path: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) text: String,
    /// Of its items, in order.
    pub(crate) forms: Vec<Form>,
    /// Not a list, not even one of one item.
    pub(crate) is_single: bool,
}

impl Body {
    /// A body with all of these events, in a random shape that can hold them.
    pub(crate) fn of(events: &[&Event], random: &mut impl Rng) -> Self {
        let allowed: &[Form] = [
            &[Form::Command][..],
            &[Form::CloudEvent],
            &[Form::Command, Form::CloudEvent, Form::Untyped],
        ]
        .choose(random)
        .unwrap();
        let items = events.iter().map(|event| choose(event, allowed, random));
        let (forms, items): (Vec<Form>, Vec<String>) = items.unzip();
        let all = |form| forms.iter().all(|found| *found == form);
        let path = if all(Form::Command) && random.random() {
            "/commands"
        } else {
            "/events"
        };
        let is_single = items.len() == 1;
        let (content_type, text) = if is_single && all(Form::CloudEvent) {
            ("application/cloudevents+json", items.concat())
        } else if is_single {
            ("application/json", items.concat())
        } else if random.random() {
            ("application/x-ndjson", items.join("\n"))
        } else if all(Form::CloudEvent) {
            ("application/cloudevents-batch+json", list(&items))
        } else {
            ("application/json", list(&items))
        };
        Self {
            path,
            content_type,
            text,
            forms,
            is_single,
        }
    }
}

fn list(items: &[String]) -> String {
    format!("[{}]", items.join(","))
}

/// One of the allowed forms that can say what this event says.
fn choose(event: &Event, allowed: &[Form], random: &mut impl Rng) -> (Form, String) {
    let able = allowed
        .iter()
        .filter_map(|form| Some((*form, form.write(event)?)));
    able.choose(random).unwrap()
}

impl Form {
    /// The event in this form, if it has one.
    fn write(self, event: &Event) -> Option<String> {
        match self {
            Self::Command => Some(facts::to_command(event)),
            Self::CloudEvent => Some(facts::to_cloudevent(event)),
            Self::Untyped => facts::to_untyped(event),
        }
    }
}
