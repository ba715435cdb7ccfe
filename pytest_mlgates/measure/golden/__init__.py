"""The golden set itself: is it the frozen one, does it keep its promises, what can it resolve?"""
