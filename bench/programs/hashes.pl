# Hashes, regular expressions, sorting and string building.
use strict;
use warnings;

my ($path, $count) = @ARGV;
open(my $file, '<', $path) or die "$path: $!";
my (%counts, %pairs, $previous);
my $matches = 0;
while (my $line = <$file>) {
    last if $. > $count;
    $matches++ if $line =~ /\b(\w+)ing\b.*\b(?:the|of)\s+(\w{3,7})\b/;
    for my $word (split /\W+/, lc $line) {
        next unless length $word;
        $counts{$word}++;
        $pairs{"$previous $word"}++ if defined $previous;
        $previous = $word;
    }
    (my $shouted = $line) =~ s/(\w+)/\u$1/g;
    $matches += length($shouted) % 3;
}
my @most = sort { $counts{$b} <=> $counts{$a} || $a cmp $b } keys %counts;
my @couples = sort { $pairs{$b} <=> $pairs{$a} || $a cmp $b } keys %pairs;
print join(", ", map { "$_ $counts{$_}" } @most[0 .. 9]), "\n";
print join(", ", map { "$_ $pairs{$_}" } @couples[0 .. 4]), "\n";
print scalar(@most), " ", scalar(@couples), " $matches\n";
