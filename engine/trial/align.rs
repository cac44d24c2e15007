//! Two lists side by side.
//!
//! In: their lengths and which elements are the same. Out: what stands in both, in order, and what
//! stands in one alone.
//! Always true: every element of both lists is named once, in the order of its list.

/// So many pairs are compared at the most; longer lists are compared place by place.
const PAIRS_MAX: usize = 4_000_000;

/// An element of two lists that were put side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aligned {
    /// It stands in both.
    Both(usize, usize),
    /// It stands in the first list alone.
    Left(usize),
    /// It stands in the second list alone.
    Right(usize),
}

/// Puts two lists side by side, so that as many elements as can be stand in both.
pub(super) fn align(
    left: usize,
    right: usize,
    is_same: &dyn Fn(usize, usize) -> bool,
) -> Vec<Aligned> {
    if left.saturating_mul(right) > PAIRS_MAX {
        return place_by_place(left, right, is_same);
    }
    let width = right + 1;
    let mut longest = vec![0_u32; (left + 1) * width];
    for i in (0..left).rev() {
        for j in (0..right).rev() {
            longest[i * width + j] = match is_same(i, j) {
                true => longest[(i + 1) * width + j + 1] + 1,
                false => longest[(i + 1) * width + j].max(longest[i * width + j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut aligned = Vec::with_capacity(left + right);
    while i < left && j < right {
        if is_same(i, j) {
            aligned.push(Aligned::Both(i, j));
            (i, j) = (i + 1, j + 1);
        } else if longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
            aligned.push(Aligned::Left(i));
            i += 1;
        } else {
            aligned.push(Aligned::Right(j));
            j += 1;
        }
    }
    aligned.extend((i..left).map(Aligned::Left));
    aligned.extend((j..right).map(Aligned::Right));
    aligned
}

/// Joins what stands in one list alone with what stands at the same place of the other alone and is
/// like it.
pub(super) fn joined(aligned: &[Aligned], is_like: &dyn Fn(usize, usize) -> bool) -> Vec<Aligned> {
    let mut done = Vec::with_capacity(aligned.len());
    let is_both = |one: &Aligned| matches!(one, Aligned::Both(..));
    for gap in aligned.chunk_by(|one, next| !is_both(one) && !is_both(next)) {
        if gap.iter().any(is_both) {
            done.extend_from_slice(gap);
            continue;
        }
        let of_right = |one: &Aligned| match one {
            Aligned::Right(j) => Some(*j),
            _ => None,
        };
        let rights: Vec<usize> = gap.iter().filter_map(of_right).collect();
        let mut next = 0;
        for one in gap {
            let Aligned::Left(i) = *one else { continue };
            match rights[next..].iter().position(|j| is_like(i, *j)) {
                Some(at) => {
                    done.extend(rights[next..next + at].iter().map(|j| Aligned::Right(*j)));
                    done.push(Aligned::Both(i, rights[next + at]));
                    next += at + 1;
                }
                None => done.push(Aligned::Left(i)),
            }
        }
        done.extend(rights[next..].iter().map(|j| Aligned::Right(*j)));
    }
    done
}

fn place_by_place(
    left: usize,
    right: usize,
    is_same: &dyn Fn(usize, usize) -> bool,
) -> Vec<Aligned> {
    let both = left.min(right);
    let mut aligned = Vec::with_capacity(left + right);
    for at in 0..both {
        match is_same(at, at) {
            true => aligned.push(Aligned::Both(at, at)),
            false => aligned.extend([Aligned::Left(at), Aligned::Right(at)]),
        }
    }
    aligned.extend((both..left).map(Aligned::Left));
    aligned.extend((both..right).map(Aligned::Right));
    aligned
}
