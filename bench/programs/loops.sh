# Loops, functions, arithmetic, arrays and string surgery, all inside one bash: no program is started.
declare -A seen
collatz() {
  local n=$1 steps=0
  while ((n != 1)); do
    if ((n % 2)); then ((n = 3 * n + 1)); else ((n /= 2)); fi
    ((steps++))
  done
  result=$steps
}

total=0
for ((i = 1; i <= $1; i++)); do
  collatz "$i"
  seen[$result]=$i
  ((total += result))
done

line=
for ((i = 0; i < $1 * 4; i++)); do
  word="item-$((i * 7919 % 1000))"
  case $word in
    *9) word=${word#item-} ;;
    item-1*) word=${word/item/thing} ;;
    *) word=${word^^} ;;
  esac
  if [[ $word =~ ^([a-z]+)-([0-9]+)$ ]]; then word=${BASH_REMATCH[2]}; fi
  line=${line: -40}$word
done
printf '%s %s %s\n' "$total" "${#seen[@]}" "$line"
