//! Bytes as decisions, and decisions as small recipes.
//!
//! In: bytes. Out: the text of three recipes: `root`, which calls `one`, which calls `two`.
//! Always true: the recipes are sound whatever the bytes are; when bytes run out, the recipes end.

use serde_json::{Value, json};

/// The most steps of all recipes together.
const STEPS_MAX: u32 = 24;

/// Bytes that decide one thing after another.
pub(crate) struct Dice<'a> {
    bytes: std::slice::Iter<'a, u8>,
    steps: u32,
}

/// What a step may refer to, and what surrounds it.
#[derive(Clone, Default)]
struct Place {
    /// Ids of steps that read a thing.
    things: Vec<String>,
    /// Aliases of loops over texts.
    aliases: Vec<String>,
    /// The recipe that may be called from here.
    callee: Option<&'static str>,
    is_root: bool,
    is_parallel: bool,
    depth: u32,
}

impl<'a> Dice<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes: bytes.iter(),
            steps: 0,
        }
    }

    /// A number below `sides`; 0 when nothing is left.
    pub(crate) fn roll(&mut self, sides: u8) -> u8 {
        self.bytes.next().map_or(0, |byte| byte % sides)
    }

    /// Whether something with odds of one in `sides` happens.
    pub(crate) fn hits(&mut self, sides: u8) -> bool {
        self.roll(sides) == sides - 1
    }

    /// The recipes, by name, the one that is run first.
    pub(crate) fn recipes(&mut self) -> Vec<(&'static str, String)> {
        let mut place = Place {
            callee: Some("one"),
            is_root: true,
            ..Place::default()
        };
        let root = self.recipe(&place, json!({ "manual": {} }));
        place.is_root = false;
        place.callee = Some("two");
        let one = self.function(&place);
        place.callee = None;
        let two = self.function(&place);
        vec![("root", root), ("one", one), ("two", two)]
    }

    fn function(&mut self, place: &Place) -> String {
        let fields = json!({ "input": { "x": "string" }, "output": { "out": "string" } });
        self.recipe(place, json!({ "function": fields }))
    }

    fn recipe(&mut self, place: &Place, trigger: Value) -> String {
        let mut place = place.clone();
        let mut steps = vec![json!({ "set": { "v": "a", "n": 0 } })];
        steps.extend(self.block(&mut place));
        let mut recipe = json!({ "title": "Rolled", "trigger": trigger });
        if place.is_root {
            steps.push(json!({ "log": "{{vars.v}} {{vars.n}}" }));
        } else {
            steps.push(json!({ "return": { "out": "{{vars.v}}{{input.x}}" } }));
            if self.hits(4) {
                recipe["concurrency"] = json!({ "key": "$.input.x" });
            }
        }
        recipe["steps"] = steps.into();
        recipe.to_string()
    }

    /// Some steps; what they read is known to those after them.
    fn block(&mut self, place: &mut Place) -> Vec<Value> {
        let count = 1 + self.roll(4);
        (0..count).map(|_| self.step(place)).collect()
    }

    /// The steps of a branch, whose ids are not known outside.
    fn branch(&mut self, place: &Place) -> Vec<Value> {
        let mut inside = place.clone();
        inside.depth += 1;
        self.block(&mut inside)
    }

    fn step(&mut self, place: &mut Place) -> Value {
        self.steps += 1;
        let id = format!("s{}", self.steps);
        let when = self.hits(8).then(|| self.test(place));
        let is_leaf = place.depth >= 3 || self.steps >= STEPS_MAX;
        let kind = self.roll(if is_leaf { 11 } else { 17 });
        let mut step = match kind {
            0 | 1 => self.read(place, &id),
            2..=5 => {
                let text = self.text(place);
                match kind {
                    2 => self.act("vendor.keep_thing", json!({ "id": 7, "name": text })),
                    5 => self.act("vendor.send_note", json!({ "text": text })),
                    _ => self.act("vendor.make_thing", json!({ "name": text })),
                }
            }
            6 if !place.is_parallel => json!({ "set": { "v": self.text(place) } }),
            7 if !place.is_parallel => json!({ "set": { "n": "{{add vars.n 1}}" } }),
            6..=8 => json!({ "log": self.text(place) }),
            9 => self.table(place),
            10 => json!({ "wait": "10s" }),
            11 => self.condition(place),
            12 => self.each(place, &id),
            13 => self.repeat(place, &id),
            14 => self.attempt(place),
            15 => self.leave(place),
            _ => self.call(place),
        };
        step["id"] = id.into();
        if let (Some(when), None) = (when, step.get("when")) {
            step["when"] = when;
        }
        step
    }

    fn read(&mut self, place: &mut Place, id: &str) -> Value {
        place.things.push(id.to_owned());
        let number = self.roll(3);
        self.act("vendor.read_thing", json!({ "id": number }))
    }

    fn act(&mut self, action: &str, with: Value) -> Value {
        let mut step = json!({ "action": action, "with": with });
        if self.hits(3) {
            step["on_error"] = "continue".into();
        }
        if self.hits(3) {
            step["retry"] = json!({ "tries": 1 + self.roll(3), "delay": "3s" });
        }
        step
    }

    fn table(&mut self, place: &Place) -> Value {
        if self.hits(2) {
            return json!({ "table": "people", "get": { "email": "ada@example.com" } });
        }
        let row = json!({ "email": "ada@example.com", "name": self.text(place) });
        json!({ "table": "people", "upsert": row })
    }

    fn condition(&mut self, place: &Place) -> Value {
        let mut step = json!({ "if": self.test(place), "then": self.branch(place) });
        if self.hits(2) {
            step["else"] = self.branch(place).into();
        }
        step
    }

    fn each(&mut self, place: &Place, id: &str) -> Value {
        let mut inside = place.clone();
        let alias = format!("x{id}");
        let at_once = 1 + self.roll(3);
        inside.is_parallel |= at_once > 1;
        let mut step = json!({ "as": alias });
        if self.hits(2) {
            let count = usize::from(self.roll(5));
            step["foreach"] = ["p", "q", "r", "s"][..count.min(4)].into();
            inside.aliases.push(alias);
        } else {
            step["foreach"] = json!({ "action": "vendor.list_things", "with": { "kind": "k" } });
            if self.hits(3) {
                step["batch"] = 2.into();
            }
        }
        // Which of several at once fails first is a matter of time, and a crash changes times.
        if at_once > 1 {
            step["at_once"] = at_once.into();
            step["on_item_error"] = "continue".into();
        } else if self.hits(2) {
            step["on_item_error"] = "continue".into();
        }
        inside.depth += 1;
        step["do"] = self.block(&mut inside).into();
        if self.hits(2) {
            step["collect"] = self.text(&inside).into();
        }
        if self.hits(3) {
            step["tally"] = self.text(&inside).into();
        }
        step
    }

    fn repeat(&mut self, place: &Place, id: &str) -> Value {
        let mut inside = place.clone();
        inside.depth += 1;
        let mut steps =
            vec![json!({ "id": format!("r{id}"), "action": "vendor.read_thing", "with": {} })];
        steps.extend(self.block(&mut inside));
        let until = json!({ format!("$.steps.r{id}.found"): { "is": true } });
        let max = 1 + self.roll(3);
        let mut step = json!({ "repeat": steps, "until": until, "max": max });
        if self.hits(2) {
            step["every"] = "1m".into();
        }
        step
    }

    fn attempt(&mut self, place: &Place) -> Value {
        let mut step = json!({ "try": self.branch(place) });
        let has_catch = !self.hits(3);
        if has_catch {
            let mut catch = json!({ "do": self.branch(place) });
            if self.hits(3) {
                let code = ["refused", "outcome_unknown"][usize::from(self.roll(2))];
                catch["when"] = json!({ "$.error.code": { "equals": code } });
            }
            step["catch"] = catch;
        }
        if !has_catch || self.hits(3) {
            // What leaves a recipe cannot stand where it is cleaned up.
            let mut inside = place.clone();
            inside.depth = 9;
            step["finally"] = self.block(&mut inside).into();
        }
        step
    }

    fn leave(&mut self, place: &Place) -> Value {
        let test = self.test(place);
        match (place.is_parallel, place.is_root) {
            (true, _) => json!({ "log": "stays" }),
            (false, true) => {
                let status = ["success", "failure"][usize::from(self.roll(2))];
                json!({ "when": test, "stop": { "status": status, "reason": "enough" } })
            }
            (false, false) => json!({ "when": test, "return": { "out": self.text(place) } }),
        }
    }

    fn call(&mut self, place: &Place) -> Value {
        let Some(callee) = place.callee else {
            return json!({ "log": "nobody to call" });
        };
        let mut step = json!({ "call": callee, "with": { "x": self.text(place) } });
        if self.hits(3) {
            step["on_error"] = "continue".into();
        }
        step
    }

    /// A text, often of what was read.
    fn text(&mut self, place: &Place) -> String {
        let last = |names: &[String]| names.last().cloned();
        match (self.roll(5), last(&place.things), last(&place.aliases)) {
            (1, Some(thing), _) => format!("{{{{default steps.{thing}.name? 'none'}}}}"),
            (2, _, Some(alias)) => format!("{{{{{alias}}}}}"),
            (3, ..) => "{{vars.v}}b".to_owned(),
            (4, ..) => "v{{vars.n}}".to_owned(),
            _ => "fixed".to_owned(),
        }
    }

    fn test(&mut self, place: &Place) -> Value {
        match (self.roll(3), place.things.last()) {
            (1, Some(thing)) => json!({ format!("$.steps.{thing}.found?"): { "is": true } }),
            (2, _) => json!({ "$.vars.n": { "less_than": 2 } }),
            _ => json!({ "$.vars.v": { "equals": "a" } }),
        }
    }
}
