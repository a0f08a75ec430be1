# completion.bash SCRIPT WORD...: what bash offers for the last word, on one line.
. "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_shoal
echo "${COMPREPLY[*]}"
