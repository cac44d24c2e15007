//! In what two versions of a recipe differ, in words.
//!
//! In: two trees as written. Out: a sentence for each difference, in the order of the later file,
//! with long values in lines below it; none if both mean the same.
//! Always true: comments, blank lines and the order of keys are no difference; a step with an id is
//! the same step wherever it stands.

mod steps;
mod value;

use crate::source::Node;

use self::steps::{Steps, is_block};
use self::value::{changed, gone, new};

/// In what two versions of a recipe differ.
pub fn differences(before: &Node, after: &Node) -> Vec<String> {
    let (Some(was), Some(is)) = (before.as_map(), after.as_map()) else {
        return match before.to_value() == after.to_value() {
            true => Vec::new(),
            false => vec!["the file is another one as a whole".to_owned()],
        };
    };
    let mut told = Vec::new();
    for (key, node) in is {
        let name = &*key.text;
        match before.get(name) {
            _ if is_block(name) => {}
            None => told.push(new(name, node)),
            Some(earlier) => changed(name, earlier, node, &mut told),
        }
    }
    let removed = was.iter().filter(|(key, _)| after.get(&key.text).is_none());
    told.extend(removed.map(|(key, node)| gone(&key.text, node)));
    let steps = Steps::of(after);
    told.extend(steps.since(&Steps::of(before)));
    told
}

#[cfg(test)]
mod tests;
