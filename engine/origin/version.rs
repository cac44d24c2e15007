//! Versions of projects, as far as they are compared.
//!
//! In: two versions as project files state them. Out: whether one is older.
//! Always true: what is no list of numbers with dots between them is older than nothing.

/// Whether the first version is older than the second.
pub fn is_older(version: &str, than: &str) -> bool {
    match (numbers(version), numbers(than)) {
        (Some(version), Some(than)) => version < than,
        _ => false,
    }
}

fn numbers(version: &str) -> Option<Vec<u64>> {
    let numbers = version.split('.').map(|number| number.parse().ok());
    let mut numbers: Vec<u64> = numbers.collect::<Option<_>>()?;
    // 1.0 and 1.0.0 are the same.
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    Some(numbers)
}
