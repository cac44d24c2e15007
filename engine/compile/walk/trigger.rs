//! What sets a recipe off, checked.
//!
//! In: the trigger as written. Out: a [`Trigger`], and the roots that steps may read of it.
//! Always true: a schedule that compiled has a next moment.

use super::{Walk, integer, is_word, key_span, period};
use crate::compile::codes;
use crate::compile::scope::{Scope, Visible};
use crate::compile::{
    Dedupe, IfStillRunning, Schedule, Trigger, Webhook, WebhookAuth, WhileStopped,
};
use crate::diagnostic::did_you_mean;
use crate::expression::{Expression, Typed};
use crate::names::ConnectionName;
use crate::schedule::{Rule, is_zone, zone_names};
use crate::shape::{Field, Shape};
use crate::source::{Node, NodeKind};

/// What `trigger` holds, by kind.
pub(in crate::compile) fn trigger_shape(kind: &str, is_batch: bool) -> Option<Shape> {
    let item = match is_batch {
        true => Shape::list_of(Shape::Any),
        false => Shape::Any,
    };
    match kind {
        "schedule" => Some(Shape::object_of([(
            "scheduled_at",
            Field::optional(Shape::DateTime),
        )])),
        "webhook" => Some(Shape::object_of([
            ("body", Field::required(Shape::Any)),
            ("headers", Field::required(Shape::Object)),
            ("query", Field::required(Shape::Object)),
            ("item", Field::required(item)),
            ("index", Field::required(Shape::Integer)),
        ])),
        "poll" => Some(Shape::object_of([
            ("item", Field::required(item)),
            ("index", Field::required(Shape::Integer)),
        ])),
        _ => None,
    }
}

impl Walk<'_> {
    /// Compiles the trigger; the time zone is the recipe's own.
    pub(in crate::compile) fn trigger(&mut self) -> Option<Trigger> {
        let file = self.file;
        let (kind, node) = file.trigger()?;
        match kind {
            "function" => Some(Trigger::Function),
            "manual" => Some(Trigger::Manual),
            "schedule" => self.schedule(node).map(Trigger::Schedule),
            "webhook" => Some(Trigger::Webhook(self.webhook(node))),
            "poll" => self.poll(node).map(Trigger::Poll),
            _ => None,
        }
    }

    fn schedule(&mut self, node: &Node) -> Option<Schedule> {
        let timezone = node.get("timezone").and_then(Node::as_text);
        if let Some(zone) = node.get("timezone") {
            self.check_zone(zone);
        }
        let rule = if node.get("every").is_some() {
            self.interval(node)?
        } else {
            // Without a rule at all, that is what is missing, and it was said.
            if timezone.is_none() && (node.get("at").is_some() || node.get("cron").is_some()) {
                self.report
                    .error(
                        codes::BAD_ZONE,
                        key_span(node),
                        "the schedule has no time zone",
                    )
                    .help("add `timezone`, such as America/Los_Angeles or UTC");
            }
            self.cron(node)?
        };
        let first_from = node.get("first_from");
        let expected = Shape::DateTime;
        let first_from = first_from.map(|node| {
            self.value_of(node, &["settings", "job"], Some(&expected))
                .expression
        });
        Some(Schedule {
            rule,
            timezone: timezone.map(ToString::to_string),
            run_missed_once: !is_word(node, "if_missed", "skip"),
            if_still_running: match node.get("if_still_running").and_then(Node::as_text) {
                Some(word) if &**word == "queue" => IfStillRunning::Queue,
                Some(word) if &**word == "allow" => IfStillRunning::Allow,
                _ => IfStillRunning::Skip,
            },
            first_from,
        })
    }

    /// The interval of `every`.
    pub(super) fn interval(&mut self, node: &Node) -> Option<Rule> {
        let every = node.get("every");
        match Rule::every(period(every)?) {
            Ok(rule) => Some(rule),
            Err(message) => {
                let span = every.map_or(node.span, |every| every.span);
                self.report
                    .error(codes::BAD_TIME, span, message)
                    .help("write it like 30s, 5m, 6h or 1d");
                None
            }
        }
    }

    /// The rule of `cron`, or of `at` and `days`.
    fn cron(&mut self, node: &Node) -> Option<Rule> {
        // A zone that is missing or wrong was reported; the line is looked at all the same.
        let zone = node.get("timezone").and_then(Node::as_text);
        let zone = zone.filter(|zone| is_zone(zone)).map_or("UTC", |zone| zone);
        if let Some(line) = node.get("cron") {
            return match Rule::cron(line.as_text()?, zone) {
                Ok(rule) => Some(rule),
                Err(message) => {
                    self.report
                        .error(codes::BAD_CRON, line.span, message.as_str())
                        .help(match message.contains("no such date") {
                            true => {
                                "February has at most 29 days; April, June, September and \
                                     November have 30"
                            }
                            false => "five fields: minute, hour, day of the month, month, weekday",
                        });
                    None
                }
            };
        }
        let at = node.get("at")?;
        let text = at.as_text()?;
        let Some((hour, minute)) = time_of_day(text) else {
            self.report
                .error(
                    codes::BAD_TIME,
                    at.span,
                    format!("`{text}` is not a time of day"),
                )
                .help("write \"07:30\", from \"00:00\" to \"23:59\"");
            return None;
        };
        let (month_days, week_days) = self.days(node.get("days"))?;
        Rule::cron(&format!("{minute} {hour} {month_days} * {week_days}"), zone).ok()
    }

    /// `days` as the third and the fifth field of a cron line.
    fn days(&mut self, node: Option<&Node>) -> Option<(String, String)> {
        let every = || "*".to_owned();
        let Some(node) = node else {
            return Some((every(), every()));
        };
        match &node.kind {
            NodeKind::Text(word) if &**word == "weekdays" => Some((every(), "1-5".to_owned())),
            NodeKind::Text(_) => Some((every(), every())),
            NodeKind::List(days) => {
                let names: Vec<&str> = days
                    .iter()
                    .filter_map(|day| day.as_text().map(|text| &**text))
                    .collect();
                let numbers: Vec<String> = days
                    .iter()
                    .filter(|day| matches!(day.kind, NodeKind::Integer(_)))
                    .map(|day| day.to_value().to_string())
                    .collect();
                match (names.is_empty(), numbers.is_empty()) {
                    (false, true) => Some((every(), names.join(",").to_uppercase())),
                    (true, false) => {
                        self.advise_on_days(node, days);
                        Some((numbers.join(","), every()))
                    }
                    _ => {
                        self.report
                            .error(codes::BAD_TIME, node.span, "these days make no schedule")
                            .help("all weekdays, [mon, thu], or all days of the month, [1, 15]");
                        None
                    }
                }
            }
            _ => None,
        }
    }

    /// Says of days of the month that not every month has them.
    fn advise_on_days(&mut self, node: &Node, days: &[Node]) {
        let latest = days.iter().filter_map(integer).max();
        if let Some(latest) = latest.filter(|latest| *latest > 28) {
            self.report
                .advice(
                    codes::BAD_TIME,
                    node.span,
                    format!("months without a day {latest} are passed over"),
                )
                .help("every month has the days 1 to 28");
        }
    }

    /// Checks that a text names a time zone.
    pub(in crate::compile) fn check_zone(&mut self, node: &Node) {
        let Some(text) = node.as_text() else { return };
        if is_zone(text) {
            return;
        }
        let names = zone_names();
        let meant = did_you_mean(text, names.iter().map(String::as_str));
        let help = meant.map_or_else(
            || "write an IANA name, such as America/Los_Angeles, Europe/Rome or UTC".to_owned(),
            |meant| format!("did you mean `{meant}`?"),
        );
        self.report
            .error(
                codes::BAD_ZONE,
                node.span,
                format!("`{text}` is not a time zone"),
            )
            .help(help);
    }

    fn webhook(&mut self, node: &Node) -> Webhook {
        let auth = node.get("auth").and_then(|auth| {
            let name = |key: &str| {
                let text = auth.get(key)?.as_text()?;
                ConnectionName::new(text).ok()
            };
            name("basic")
                .map(WebhookAuth::Basic)
                .or_else(|| name("token").map(WebhookAuth::Token))
                .or_else(|| name("hmac").map(WebhookAuth::Hmac))
        });
        let split = node
            .get("split")
            .and_then(Node::as_list)
            .unwrap_or_default();
        let split = split
            .iter()
            .map(|node| self.value_of(node, &["trigger"], None).expression)
            .collect();
        Webhook {
            auth,
            split,
            dedupe: self.dedupe(node, &Visible::default()),
            while_stopped: match node.get("while_stopped").and_then(Node::as_text) {
                Some(word) if &**word == "reject" => WhileStopped::Reject,
                Some(word) if &**word == "drop" => WhileStopped::Drop,
                _ => WhileStopped::Queue,
            },
            respond_with_result: is_word(node, "respond", "result"),
        }
    }

    /// Which events are the same; `open` holds roots beside those of the recipe.
    pub(super) fn dedupe(&mut self, node: &Node, open: &Visible) -> Option<Dedupe> {
        let dedupe = node.get("dedupe")?;
        let key = self
            .value_beside(dedupe.get("key")?, open, &["trigger"], None)
            .expression;
        let window = period(dedupe.get("window"))?;
        Some(Dedupe { key, window })
    }

    /// Compiles a value that may use only some roots.
    pub(in crate::compile) fn value_of(
        &mut self,
        node: &Node,
        only: &'static [&'static str],
        expected: Option<&Shape>,
    ) -> Typed {
        self.value_beside(node, &Visible::default(), only, expected)
    }

    /// The same with roots of its own, which count before the recipe's.
    pub(super) fn value_beside(
        &mut self,
        node: &Node,
        open: &Visible,
        only: &'static [&'static str],
        expected: Option<&Shape>,
    ) -> Typed {
        let scope = Scope {
            facts: self.facts,
            visible: open,
            here: node.span,
            only: Some(only),
        };
        Expression::compile(node, &scope, expected, &mut self.report)
    }
}

/// Hour and minute of `07:30`.
fn time_of_day(text: &str) -> Option<(u8, u8)> {
    let (hour, minute) = text.split_once(':')?;
    let is_two = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !is_two(hour) || !is_two(minute) {
        return None;
    }
    let (hour, minute) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some((hour, minute))
}
