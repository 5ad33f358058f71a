#include <stdio.h>

#include <modelseal/c.h>

int main(void) {
    printf("C %s\n", modelseal_version());
    return 0;
}
